"""Changes: what can be wrong with the variants and sweeps of a study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from pydantic import JsonValue, ValidationError

from studyspec.errors import Problem
from studyspec.spec.dotted import leaves, setting_names
from studyspec.spec.layers import merged
from studyspec.spec.piecewise import Parts
from studyspec.spec.places import Path
from studyspec.spec.problems import Pointer, explain
from studyspec.spec.sections import StageSettings
from studyspec.spec.study import Matrix, Study
from studyspec.spec.variants import (
    TABLES,
    Point,
    matrix_with,
    points,
    settings_with,
    tables_with,
)
from studyspec.spec.wording import listed, nearest, shown

SWEEP = "sweep"


def variant_problems(parts: Parts, pointer: Pointer) -> Iterator[Problem]:
    """Every problem of the variants: wrong tables and settings, and changes of nothing."""
    if not (parts.base or parts.sweep or parts.variants):
        yield pointer.problem(
            ("study", "base"), "the study has no variant", "set base = true, or add [variants.NAME]"
        )
    yield from _sweep(parts, {}, parts.sweep, (), pointer)
    for name, table in parts.variants.items():
        found = list(_one_variant(parts, table, ("variants", name), pointer))
        yield from found
        if not found and parts.sound and changes_nothing(parts, table):
            yield pointer.at_key(
                ("variants", name),
                f"variant '{name}' changes nothing",
                "change a setting, or delete it",
            )


def changes_nothing(parts: Parts, table: Mapping[str, object]) -> bool:
    """Whether a valid variant without sweep is the plain study."""
    if table.get(SWEEP):
        return False
    settings = settings_with(parts.stage.model_dump(mode="json"), table, {})
    names = parts.datasets, parts.networks
    cells = matrix_with(parts.matrix, table).cells(*names)
    return settings == parts.stage and set(cells) == set(parts.matrix.cells(*names))


def _one_variant(
    parts: Parts, table: Mapping[str, object], where: Path, pointer: Pointer
) -> Iterator[Problem]:
    for key in table:
        if key not in (*TABLES, SWEEP):
            known = key in Study.model_fields or key == "profiles"
            hint = f"it may change {listed(TABLES)}" if known else nearest(key, (*TABLES, SWEEP))
            yield pointer.at_key((*where, key), f"a variant cannot change '{key}'", hint)
    yield from _matrix(parts, table, where, pointer)
    yield from _sweep(parts, table, table.get(SWEEP, {}), where, pointer)


def _matrix(
    parts: Parts, table: Mapping[str, object], where: Path, pointer: Pointer
) -> Iterator[Problem]:
    try:
        matrix_with(parts.matrix, table)
    except ValidationError as error:
        below = {"matrix": parts.matrix.model_dump(mode="json", exclude_none=True)}
        whole = merged(below, {"matrix": table["matrix"]})["matrix"]
        yield from explain(error, pointer, Matrix, whole, (*where, "matrix"))


def _sweep(
    parts: Parts, table: Mapping[str, object], sweep: object, where: Path, pointer: Pointer
) -> Iterator[Problem]:
    """What is wrong with the settings of a variant (of the study, where it is ()) and its sweep."""
    if not isinstance(sweep, Mapping):
        what = f"expected a table of settings and their values, got {shown(sweep)}"
        yield pointer.problem((*where, SWEEP), what)
        return
    each = ((key, values, (*where, SWEEP, key)) for key, values in sweep.items())
    wrong = [problem for one in each for problem in _swept(*one, pointer)]
    yield from wrong
    yield from _points(parts, table, {} if wrong else sweep, where, pointer)


def _swept(setting: str, values: JsonValue, where: Path, pointer: Pointer) -> Iterator[Problem]:
    """What is wrong with a swept setting by itself."""
    if setting not in setting_names():
        yield pointer.at_key(where, f"unknown setting '{setting}'", _setting_hint(setting, values))
    elif not isinstance(values, list) or not values:
        yield pointer.problem(where, f"expected a list of values, got {shown(values)}")


def _setting_hint(setting: str, values: JsonValue) -> str:
    inside = [name for name in setting_names() if name.startswith(f"{setting}.")]
    within = [name for name, _ in leaves({setting: values})]
    if isinstance(values, Mapping) and within:
        return f'write the whole setting in quotes: "{within[0]}"'
    if inside:
        return f"it is a table; sweep a setting of it, such as '{inside[0]}'"
    last = setting.rpartition(".")[2]
    ends = [name for name in setting_names() if name.rpartition(".")[2] == last]
    close = ends or get_close_matches(setting, setting_names(), n=1)
    return f"did you mean '{close[0]}'?" if close else "a setting is named as augment.noise.rho is"


def _points(
    parts: Parts,
    table: Mapping[str, object],
    sweep: Mapping[str, list[object]],
    where: Path,
    pointer: Pointer,
) -> Iterator[Problem]:
    """What is wrong with the settings at the points of a sweep; one problem for each place."""
    base = parts.stage.model_dump(mode="json")
    found: dict[tuple[str, int, int], Problem] = {}
    for point in points(sweep):
        try:
            settings_with(base, table, point)
        except ValidationError as error:
            local = _pointer_at(point, sweep, where, pointer)
            whole = tables_with(base, table, point)
            for problem in explain(error, local, StageSettings, whole):
                stands = (problem.file, problem.line, problem.column)
                found.setdefault(stands, problem)
    yield from found.values()
    for setting, values in sweep.items():
        for i, value in enumerate(values):
            if value in values[:i]:
                place = (*where, SWEEP, setting, i)
                yield pointer.problem(place, f"{shown(value)} is given twice")


def _pointer_at(
    point: Point, sweep: Mapping[str, list[object]], where: Path, pointer: Pointer
) -> Pointer:
    """A pointer for the settings at a point: into the variant's tables, or at the swept values."""
    depth = len(where)
    entries = {p[depth:]: e for p, e in pointer.entries.items() if where and p[:depth] == where}
    head = pointer.entries.get((*where, SWEEP))
    entries |= {(): head} if head else {}
    for setting, value in point.items():
        place = (*where, SWEEP, setting, sweep[setting].index(value))
        if place in pointer.entries:
            entries[tuple(setting.split("."))] = pointer.entries[place]
    return Pointer(pointer.file, entries)
