"""Size: about how many jobs a study implies, told of its tables before anything is made of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from studyspec.errors import Problem
from studyspec.spec.names import COMMON
from studyspec.spec.problems import Pointer

MOST_JOBS = 1_000_000
"""More in one study are a slip: a list too many in a sweep."""
Path = tuple[str | int, ...]


def size_problems(
    table: Mapping[str, object], pointer: Pointer, most: int | None
) -> Iterator[Problem]:
    """The problem of a study that implies more jobs than that, if it does; None: any number."""
    if most is None:
        return
    sizes = dict(_sizes(table))
    total = sum(sizes.values())
    if total > most:
        largest = max(sizes, key=lambda path: sizes[path])
        what = f"about {total:,} jobs, more than {most:,}"
        yield pointer.problem(largest, what, "sweep fewer values, or allow it: --max-jobs")


def _sizes(table: Mapping[str, object]) -> Iterator[tuple[Path, int]]:
    """Networks and tests of the plain study and of each variant, by where their sweep stands."""
    if _table(table, "study").get("base") is not False or _table(table, "sweep"):
        yield ("sweep",), _jobs(table, {}, _table(table, "sweep"))
    for name, changes in _table(table, "variants").items():
        if isinstance(changes, Mapping):
            yield ("variants", name, "sweep"), _jobs(table, changes, _table(changes, "sweep"))


def _jobs(
    table: Mapping[str, object], changes: Mapping[str, object], sweep: Mapping[str, object]
) -> int:
    points = math.prod(max(1, len(one)) for one in sweep.values() if isinstance(one, list))
    cells, trained = _cells(table, {**_table(table, "matrix"), **_table(changes, "matrix")})
    folds = {**_table(table, "cross_validation"), **_table(changes, "cross_validation")}
    repeats = _whole(folds.get("repeats"), 1) * _whole(folds.get("folds"), 5)
    return points * repeats * (cells + trained)


def _cells(table: Mapping[str, object], matrix: Mapping[str, object]) -> tuple[int, int]:
    """How many cells a matrix has, and how many sets are trained on."""
    sets = [name for name in _table(table, "datasets") if name != COMMON]
    pairs = matrix.get("pairs")
    if isinstance(pairs, list):
        first = {str(pair[0]) for pair in pairs if isinstance(pair, list) and pair}
        return len(pairs), len(first)
    foreign = len(_table(table, "networks"))
    train, test = (
        len(given) if isinstance(given := matrix.get(name), list) else len(sets)
        for name in ("train", "test")
    )
    return (train + foreign) * test, train


def _table(table: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = table.get(key)
    return found if isinstance(found, Mapping) else {}


def _whole(value: object, default: int) -> int:
    return value if type(value) is int and value > 0 else default
