"""References: what a study's names and variants must agree on once each table is valid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from studyspec.errors import Problem
from studyspec.spec.claims import Prediction, Selector
from studyspec.spec.problems import Pointer, explain, nearest
from studyspec.spec.settings import StageSettings
from studyspec.spec.study import Matrix, Study
from studyspec.spec.variants import (
    BASE,
    TABLES,
    expand,
    leaves,
    matrix_with,
    merged,
    nested,
    settings_with,
    sweep_points,
    union_members,
)

Where = tuple[str | int, ...]


def reference_problems(study: Study, pointer: Pointer) -> Iterator[Problem]:
    """Every disagreement between the tables of a study."""
    for name in study.datasets:
        if "+" in name or not name.strip():
            yield pointer.at_key(
                ("datasets", name), f"a dataset cannot be named '{name}'", "'+' joins datasets"
            )
    yield from _matrix_names(study, study.matrix, ("matrix",), pointer)
    yield from _sweep_problems(study, {}, study.sweep, ("sweep",), pointer)
    found = list(variant_problems(study, pointer))
    yield from found
    if not found:
        yield from _claim_problems(study, pointer)


def variant_problems(study: Study, pointer: Pointer, check_names: bool = True) -> Iterator[Problem]:
    """Every problem of the variants: unknown tables and settings, and changes of nothing."""
    for name, table in study.variants.items():
        where: Where = ("variants", name)
        if name == BASE or "[" in name:
            yield pointer.at_key(where, f"a variant cannot be named '{name}'", "name it anew")
        wrong = [key for key in table if key not in (*TABLES, "sweep")]
        for key in wrong:
            hint = nearest(key, TABLES)
            if key in Study.model_fields:
                hint = f"a variant may change {', '.join(TABLES)}"
            yield pointer.at_key((*where, key), f"a variant cannot change '{key}'", hint)
        if not wrong:
            yield from _one_variant(study, table, where, pointer, check_names)


def _one_variant(
    study: Study, table: Mapping[str, Any], where: Where, pointer: Pointer, check_names: bool
) -> Iterator[Problem]:
    try:
        settings = settings_with(study.stage, table)
        matrix = matrix_with(study.matrix, table)
    except ValidationError as error:
        model = Matrix if error.title == "Matrix" else StageSettings
        prefix = (*where, "matrix") if model is Matrix else where
        yield from explain(error, pointer, model, prefix)
        return
    if check_names:
        yield from _matrix_names(study, matrix, (*where, "matrix"), pointer)
    sweep = table.get("sweep", {})
    if not isinstance(sweep, Mapping):
        yield pointer.problem((*where, "sweep"), "expected a table of dotted settings")
        return
    yield from _sweep_problems(study, table, sweep, (*where, "sweep"), pointer)
    cells = tuple(study.datasets)
    same = settings == study.stage and matrix.cells(cells) == study.matrix.cells(cells)
    if same and not sweep and study.study.base and check_names:
        yield pointer.at_key(
            where, f"variant '{where[-1]}' changes nothing", "change a setting, or delete it"
        )


def _sweep_problems(
    study: Study,
    table: Mapping[str, Any],
    sweep: Mapping[str, Any],
    where: Where,
    pointer: Pointer,
) -> Iterator[Problem]:
    known = [name for name, _ in leaves(study.stage.model_dump(mode="json"))]
    before = len(known)
    for setting, values in sweep.items():
        if setting not in known:
            yield pointer.at_key(
                (*where, setting), f"unknown setting '{setting}'", nearest(setting, known)
            )
            before = -1
        elif not isinstance(values, list) or not values:
            yield pointer.problem((*where, setting), "expected a list of at least one value")
            before = -1
    if before < 0 or not sweep:
        return
    for point in sweep_points(sweep):
        changes = dict(table)
        for setting, value in point:
            changes = merged(changes, nested(setting, value))
        try:
            settings_with(study.stage, changes)
        except ValidationError as error:
            setting, value = point[-1]
            for problem in explain(error, pointer, StageSettings, ("",)):
                place = (*where, setting, list(sweep[setting]).index(value))
                yield pointer.problem(place, problem.what, problem.hint)
            return


def _matrix_names(
    study: Study, matrix: Matrix, where: Where, pointer: Pointer
) -> Iterator[Problem]:
    lists: list[tuple[Where, Sequence[str]]] = [
        ((*where, "train"), matrix.train or ()),
        ((*where, "test"), matrix.test or ()),
    ]
    lists += [((*where, "pairs", i), pair) for i, pair in enumerate(matrix.pairs or ())]
    for path, names in lists:
        for i, name in enumerate(names):
            yield from _set_name(study, name, (*path, i), pointer)


def _set_name(study: Study, name: str, where: Where, pointer: Pointer) -> Iterator[Problem]:
    members = union_members(name)
    for member in members:
        if member not in study.datasets:
            hint = nearest(member, list(study.datasets))
            yield pointer.problem(where, f"unknown dataset '{member}'", hint)
    if len(set(members)) < len(members):
        yield pointer.problem(where, f"'{name}' names a dataset twice", "name each member once")


def _claim_problems(study: Study, pointer: Pointer) -> Iterator[Problem]:
    variants = [variant.name for variant in expand(study)]
    stems = {name.partition("[")[0] for name in variants}
    for i, claim in enumerate(study.claims):
        for j, prediction in enumerate(claim.predictions):
            where: Where = ("claims", i, "all", j) if claim.all else ("claims", i)
            yield from _prediction(study, prediction, where, pointer, [*variants, *stems])


def _prediction(
    study: Study, prediction: Prediction, where: Where, pointer: Pointer, variants: list[str]
) -> Iterator[Problem]:
    sides: list[tuple[str, Selector | None]] = [
        ("left", prediction.left),
        ("right", prediction.right),
    ]
    for side, selector in sides:
        if selector is None:
            continue
        for key, special in (("train", ()), ("test", ("own", "others"))):
            for name in _names(getattr(selector, key)):
                if name not in special:
                    yield from _set_name(study, name, (*where, side, key), pointer)
        for name in _names(selector.variant):
            if name not in variants:
                hint = nearest(name, variants)
                yield pointer.problem((*where, side, "variant"), f"unknown variant '{name}'", hint)


def _names(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value
