"""Conditions: the filters of a study as SQL on catalog columns, values as parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from typing import TypeAlias

from studyspec.errors import CatalogError
from studyspec.plugins.values import Value
from studyspec.spec.filters import ColumnFilter, DatasetFilter, Like, Near, Not, Range

NUMBERS = frozenset({"INTEGER", "BIGINT", "DOUBLE", "FLOAT", "HUGEINT"})
FLOAT_TOLERANCE = 1e-6
Clause: TypeAlias = tuple[str, list[Value]]
Wanted: TypeAlias = Value | tuple[Value, ...]


class FilterProblem(CatalogError):  # noqa: N818
    """A filter that cannot be; `column` is the key at fault."""

    def __init__(self, column: str, what: str, hint: str = "") -> None:
        self.column = column
        super().__init__(what, hint=hint)


def quoted(name: str) -> str:
    """A column name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def clauses(wanted: DatasetFilter, kinds: Mapping[str, str]) -> Iterator[Clause]:
    """One SQL condition with its parameters for each column that the filter names.

    Parameters
    ----------
    wanted
        The filter.
    kinds
        DuckDB type of every catalog column by name.

    Raises
    ------
    FilterProblem
        For a column that is not in the catalog, or a value that its type cannot equal.
    """
    for column, condition in wanted.columns.items():
        if column not in kinds:
            close = get_close_matches(column, kinds, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(kinds)}"
            raise FilterProblem(column, f"unknown column '{column}'", hint)
        yield _clause(column, kinds[column], condition)


def _clause(column: str, kind: str, condition: ColumnFilter) -> Clause:
    name = quoted(column)
    if isinstance(condition, Near):
        _check(column, kind, condition.near)
        return f"abs({name} - ?) <= ?", [condition.near, condition.within * (1 + 1e-12)]
    if isinstance(condition, Range):
        ends = [(">=", condition.min), ("<=", condition.max)]
        given = [(sign, end) for sign, end in ends if end is not None]
        for _, end in given:
            _check(column, kind, end)
        return " and ".join(f"{name} {sign} ?" for sign, _ in given), [e for _, e in given]
    if isinstance(condition, Like):
        _check(column, kind, condition.like)
        return f"{name} like ?", [condition.like]
    if isinstance(condition, Not):
        inner, values = _any_of(column, kind, condition.not_)
        return f"({name} is null or not ({inner}))", values
    return _any_of(column, kind, condition)


def _any_of(column: str, kind: str, condition: Wanted) -> Clause:
    values = condition if isinstance(condition, tuple) else (condition,)
    parts = [_equal(column, kind, value) for value in values]
    return " or ".join(sql for sql, _ in parts), [p for _, ps in parts for p in ps]


def _equal(column: str, kind: str, value: Value) -> Clause:
    _check(column, kind, value)
    name = quoted(column)
    if isinstance(value, int | float) and kind in NUMBERS:
        limit = FLOAT_TOLERANCE * abs(value)
        return f"abs({name} - ?) <= ?", [float(value), limit]
    return f"{name} = ?", [value]


def _check(column: str, kind: str, value: Value) -> None:
    """Refuse a value that the column's type cannot hold."""
    if kind in NUMBERS:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        wanted = "a number"
    elif kind == "BOOLEAN":
        fits, wanted = isinstance(value, bool), "true or false"
    elif kind == "DATE":
        fits, wanted = isinstance(value, date), "a date as 2021-08-26"
    else:
        fits, wanted = isinstance(value, str), "text in quotes"
    if not fits:
        raise FilterProblem(
            column, f"column '{column}' is compared with {value!r}", f"it holds {wanted}"
        )
