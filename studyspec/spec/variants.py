"""Variants: the named settings that a study implies, sweeps multiplied out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from studyspec.spec.settings import StageSettings
from studyspec.spec.study import Matrix, Study

BASE = "base"
TABLES = ("matrix", *StageSettings.model_fields)
Point = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Variant:
    """One named set of settings and the cells it fills.

    `changes` holds the settings that differ from the plain study, and every swept one, by dotted
    name.
    """

    name: str
    settings: StageSettings
    pairs: tuple[tuple[str, str], ...]
    changes: Mapping[str, Any] = field(default_factory=dict)


def union_members(name: str) -> tuple[str, ...]:
    """The datasets of a union: "Au+Ag" is Au and Ag; a plain name is itself."""
    return tuple(member.strip() for member in name.split("+"))


def sweep_points(sweep: Mapping[str, list[Any]]) -> Iterator[Point]:
    """Every combination of the swept values, as (dotted setting, value) pairs."""
    for values in product(*sweep.values()):
        yield tuple(zip(sweep, values, strict=True))


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Tables merged key by key, the second over the first; anything else is replaced."""
    out = dict(below)
    for key, value in above.items():
        old = out.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        out[key] = merged(old, value) if both else value  # type: ignore[arg-type]
    return out


def nested(dotted: str, value: Any) -> dict[str, Any]:
    """`a.b = value` as tables."""
    first, _, rest = dotted.partition(".")
    return {first: nested(rest, value) if rest else value}


def leaves(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of nested tables by dotted name."""
    for key, value in table.items():
        name = f"{path}.{key}" if path else key
        if isinstance(value, Mapping):
            yield from leaves(value, name)
        else:
            yield name, value


def settings_with(base: StageSettings, changes: Mapping[str, Any]) -> StageSettings:
    """The settings after changes given as tables.

    Raises
    ------
    pydantic.ValidationError
        With the paths of the changes.
    """
    own = {key: value for key, value in changes.items() if key not in ("matrix", "sweep")}
    return StageSettings.model_validate(merged(base.model_dump(mode="json"), own))


def matrix_with(base: Matrix, changes: Mapping[str, Any]) -> Matrix:
    """The matrix after a variant's changes; pairs replace lists and lists replace pairs.

    Raises
    ------
    pydantic.ValidationError
        With the paths of the changes.
    """
    own = changes.get("matrix", {})
    below = base.model_dump(mode="json", exclude_none=True)
    if isinstance(own, Mapping) and ("pairs" in own) != ("pairs" in below):
        below = {}
    return Matrix.model_validate(merged(below, own) if isinstance(own, Mapping) else own)


def expand(study: Study) -> tuple[Variant, ...]:
    """Every variant of a valid study: base (or its sweep) first, then in file order."""
    found: list[Variant] = []
    if study.study.base or study.sweep:
        found += _swept(study, BASE, {}, study.sweep)
    for name, table in study.variants.items():
        found += _swept(study, name, table, table.get("sweep", {}))
    return tuple(found)


def _swept(
    study: Study, name: str, table: Mapping[str, Any], sweep: Mapping[str, list[Any]]
) -> Iterator[Variant]:
    pairs = matrix_with(study.matrix, table).cells(tuple(study.datasets))
    for point in sweep_points(sweep):
        changes: Mapping[str, Any] = table
        for setting, value in point:
            changes = merged(changes, nested(setting, value))
        settings = settings_with(study.stage, changes)
        yield Variant(
            f"{name}[{','.join(f'{s}={v}' for s, v in point)}]" if point else name,
            settings,
            pairs,
            _changed(study.stage, settings) | dict(point),
        )


def _changed(base: StageSettings, settings: StageSettings) -> dict[str, Any]:
    plain = dict(leaves(base.model_dump(mode="json")))
    return {k: v for k, v in leaves(settings.model_dump(mode="json")) if plain[k] != v}
