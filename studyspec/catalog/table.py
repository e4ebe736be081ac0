"""The catalog table: a Parquet file with one row for each image, its rows and its filters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb

from studyspec.catalog.columns import BY_NAME, COLUMNS, NAMES
from studyspec.catalog.conditions import FilterProblem, clauses, quoted
from studyspec.catalog.row import ImageRow
from studyspec.errors import CatalogError
from studyspec.spec.filters import DatasetFilter
from studyspec.spec.identity import canonical_json

__all__ = ["Catalog", "FilterProblem", "write_catalog"]

LOCKS = (
    "set python_enable_replacements = false",
    "set enable_external_access = false",
    "set lock_configuration = true",
)
PYTHON_KINDS = ((bool, "BOOLEAN"), (int, "BIGINT"), (float, "DOUBLE"), (str, "VARCHAR"))


@dataclass(frozen=True)
class Catalog:
    """All rows of a catalog in file order. `kinds` are the DuckDB types of its columns."""

    path: Path
    rows: tuple[ImageRow, ...]
    kinds: Mapping[str, str]

    @classmethod
    def open(cls, path: Path) -> Catalog:
        """Read a catalog file.

        Raises
        ------
        CatalogError
            If the file is missing, is no Parquet file or lacks a column that it must have.
        """
        if not path.is_file():
            raise CatalogError(
                "no catalog here", where=str(path), hint="make one: studyspec catalog build"
            )
        try:
            with duckdb.connect(":memory:") as connection:
                found = connection.execute("select * from read_parquet(?)", [str(path)])
                kinds = {name: str(kind) for name, kind, *_ in found.description or ()}
                values = found.fetchall()
        except duckdb.Error as error:
            first = str(error).splitlines()[0]
            raise CatalogError(f"not a catalog: {first}", where=str(path)) from None
        missing = [name for name in ("image_id", "collection", "image_uri") if name not in kinds]
        if missing:
            raise CatalogError(f"no column '{missing[0]}'", where=str(path), hint="rebuild it")
        return cls(path, tuple(_row(kinds, row) for row in values), MappingProxyType(kinds))

    @property
    def collections(self) -> tuple[str, ...]:
        """The collections in order of first appearance."""
        return tuple(dict.fromkeys(row.collection for row in self.rows))

    def select(self, wanted: DatasetFilter, collection: str) -> tuple[ImageRow, ...]:
        """The images of a collection that meet a filter, in catalog row order.

        Raises
        ------
        FilterProblem
            For an unknown collection or column, a value of the wrong type, or wrong SQL.
        """
        if collection not in self.collections:
            names = ", ".join(self.collections)
            raise FilterProblem(
                "collection", f"unknown collection '{collection}'", f"there are {names}"
            )
        conditions = list(clauses(wanted, self.kinds))
        where = " and ".join(["collection = ?", *(f"({sql})" for sql, _ in conditions)])
        values: list[Any] = [collection, *(v for _, values in conditions for v in values)]
        if wanted.sql is not None:
            where += f" and ({_one_expression(wanted.sql)})"
        with self._table() as connection:
            try:
                found = connection.execute(
                    f"select number from catalog where {where} order by number", values
                ).fetchall()
            except duckdb.Error as error:
                if wanted.sql is None:
                    raise
                raise FilterProblem("sql", str(error).splitlines()[0], "one condition") from None
        return tuple(self.rows[number] for (number,) in found)

    def blame(self, wanted: DatasetFilter, collection: str) -> str:
        """Which one condition, left out, would let images through; a hint for an empty dataset."""
        for column in wanted.columns:
            rest = wanted.model_dump(by_alias=True, exclude={column}, exclude_none=True)
            n = len(self.select(DatasetFilter.model_validate(rest), collection))
            if n:
                return f"without '{column}' it would match {n}"
        return "no single condition is to blame: look at the catalog with `studyspec catalog ls`"

    def _table(self) -> duckdb.DuckDBPyConnection:
        """A locked database that holds the rows: a user's SQL can read nothing else."""
        connection = duckdb.connect(":memory:", config={"threads": "1"})
        columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in self.kinds.items())
        connection.execute(f"create table catalog (number integer, {columns})")
        connection.execute(
            "insert into catalog select row_number() over () - 1, * from read_parquet(?)",
            [str(self.path)],
        )
        for lock in LOCKS:
            connection.execute(lock)
        return connection


def _one_expression(sql: str) -> str:
    """A user's condition, refused if it is not one expression by itself."""
    try:
        count = len(duckdb.extract_statements(f"select ({sql}\n)"))
    except duckdb.Error as error:
        raise FilterProblem("sql", str(error).splitlines()[0], "write one condition") from None
    if count != 1:
        raise FilterProblem("sql", "more than one SQL statement", "write one condition")
    return f"{sql}\n"


def _row(kinds: Iterable[str], values: Sequence[Any]) -> ImageRow:
    named = dict(zip(kinds, values, strict=True))
    typed = {name: named[name] for name in NAMES if name in named}
    further = {name: value for name, value in named.items() if name not in BY_NAME}
    return ImageRow(**typed, further=MappingProxyType(further))


def write_catalog(rows: Sequence[ImageRow], path: Path) -> None:
    """Write a catalog file; equal rows give equal bytes.

    Units and meanings of the columns stand in the file's key-value metadata.
    """
    further = list(dict.fromkeys(name for row in rows for name in row.further))
    kinds = {c.name: c.kind for c in COLUMNS} | {name: _kind(rows, name) for name in further}
    notes = {c.name: {"meaning": c.meaning, "unit": c.unit} for c in COLUMNS}
    temporary = path.with_name(f".{path.name}.writing")
    with duckdb.connect(":memory:", config={"threads": "1"}) as connection:
        columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in kinds.items())
        connection.execute(f"create table catalog ({columns})")
        marks = ", ".join("?" * len(kinds))
        connection.executemany(
            f"insert into catalog values ({marks})",
            [[row.values().get(name) for name in kinds] for row in rows],
        )
        metadata = canonical_json(notes).replace("'", "''")
        target = str(temporary).replace("'", "''")
        connection.execute(
            f"copy catalog to '{target}' "
            f"(format parquet, compression zstd, kv_metadata {{columns: '{metadata}'}})"
        )
    temporary.replace(path)


def _kind(rows: Sequence[ImageRow], name: str) -> str:
    """The narrowest type that holds every value of a column of the user's own."""
    values = [row.further.get(name) for row in rows]
    present = [value for value in values if value is not None]
    for python, kind in PYTHON_KINDS:
        if present and all(type(value) is python for value in present):
            return kind
    if present and all(type(value) in (int, float) for value in present):
        return "DOUBLE"
    return "VARCHAR"
