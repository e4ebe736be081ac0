"""Variants: the named settings that a study implies, sweeps multiplied out. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from pydantic import JsonValue

from studyspec.spec.dotted import values, with_values
from studyspec.spec.layers import merged
from studyspec.spec.names import BASE, point_name, stem
from studyspec.spec.sections import StageSettings
from studyspec.spec.study import Matrix, Study
from studyspec.spec.wording import written

TABLES = ("matrix", *StageSettings.model_fields)
Point = Mapping[str, object]


@dataclass(frozen=True)
class Variant:
    """One named set of settings and the cells it fills.

    `changes` holds the settings that differ from the plain study, and every swept one, by dotted
    name, as JSON values.
    """

    name: str
    settings: StageSettings
    pairs: tuple[tuple[str, str], ...]
    changes: Mapping[str, JsonValue] = field(default_factory=dict)


def expand(study: Study) -> tuple[Variant, ...]:
    """Every variant of a valid study: base (or its sweep) first, then in file order.

    That of a search comes last, with the settings of the plain study: it is for a plan to find its
    own.
    """
    found: list[Variant] = []
    if study.study.base or study.sweep:
        found += _swept(study, BASE, {}, study.sweep)
    for name, table in study.variants.items():
        found += _swept(study, name, table, table.get("sweep", {}))
    if study.search is not None:
        found += _swept(study, study.search.variant, {}, {})
    return tuple(found)


def points(sweep: Mapping[str, list[object]]) -> Iterator[Point]:
    """Every combination of the swept values, the last setting fastest; one of none for no sweep."""
    for combination in product(*sweep.values()):
        yield dict(zip(sweep, combination, strict=True))


def lists_of(sweep: object) -> Mapping[str, list[object]]:
    """The values to be swept, as a file gives them; none unless each setting has a list."""
    if isinstance(sweep, Mapping) and all(isinstance(values, list) for values in sweep.values()):
        return sweep
    return {}


def chosen_variants(names: str | Sequence[str], variants: Iterable[str]) -> list[str]:
    """The variants that a claim names: each by itself, all points of a sweep by its stem."""
    asked = (names,) if isinstance(names, str) else names
    return [name for name in variants if name in asked or stem(name) in asked]


def named(name: str, point: Point) -> str:
    """The name of a variant at one point of its sweep."""
    return point_name(name, {setting: written(value) for setting, value in point.items()})


def settings_with(
    base: Mapping[str, object], changes: Mapping[str, object], point: Point
) -> StageSettings:
    """The settings after a variant's tables, then a point of its sweep.

    Parameters
    ----------
    base
        The settings of the plain study as tables.

    Raises
    ------
    pydantic.ValidationError
        With the paths of the changes.
    """
    return StageSettings.model_validate(tables_with(base, changes, point))


def tables_with(
    base: Mapping[str, object], changes: Mapping[str, object], point: Point
) -> dict[str, object]:
    """What `settings_with` validates."""
    own = {key: value for key, value in changes.items() if key in StageSettings.model_fields}
    return with_values(merged(base, own), point)


def matrix_with(base: Matrix, changes: Mapping[str, object]) -> Matrix:
    """The matrix after a variant's changes; pairs replace lists and lists replace pairs.

    Raises
    ------
    pydantic.ValidationError
        With the paths of the changes.
    """
    below = base.model_dump(mode="json", exclude_none=True)
    return Matrix.model_validate(
        merged({"matrix": below}, {"matrix": changes.get("matrix", {})})["matrix"]
    )


def _swept(
    study: Study, name: str, table: Mapping[str, object], sweep: object
) -> Iterator[Variant]:
    names = tuple(study.datasets), tuple(study.networks)
    pairs = () if study.measure.only else matrix_with(study.matrix, table).cells(*names)
    base, plain = study.stage.model_dump(mode="json"), values(study.stage)
    for point in points(lists_of(sweep)):
        settings = settings_with(base, table, point)
        changes = {k: v for k, v in values(settings).items() if k in point or v != plain.get(k)}
        yield Variant(named(name, point), settings, pairs, changes)
