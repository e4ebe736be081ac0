"""The catalog table: a Parquet file with one row for each image, its rows and its filters."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import NamedTemporaryFile
from types import MappingProxyType

import duckdb

from studyspec.catalog import published, twin_rows
from studyspec.catalog.clauses import FilterProblem, clauses, quoted
from studyspec.catalog.columns import BY_NAME, COLUMNS
from studyspec.catalog.locks import locked
from studyspec.catalog.row import ImageRow
from studyspec.catalog.row_functions import not_of_the_row
from studyspec.errors import CatalogError
from studyspec.files import whole
from studyspec.plugins.values import Value
from studyspec.spec.filters import DatasetFilter
from studyspec.spec.identity import canonical_json

__all__ = ["Catalog", "FilterProblem", "write_catalog"]

LOCKS = (
    "set python_enable_replacements = false",
    "set enable_external_access = false",
    "set lock_configuration = true",
)
CARRIED = (published.COLLECTION, twin_rows.COLLECTION)
"""The collections of the catalog that studyspec carries, as `studyspec catalog build` makes it."""
MUST_HAVE = ("image_id", "collection", "image_uri")
PYTHON_KINDS = ((bool, "BOOLEAN"), (int, "BIGINT"), (float, "DOUBLE"), (date, "DATE"))
READ = "select * from read_parquet(?, hive_partitioning = false)"
ONE_CONDITION = "write one condition, as dose_e_per_A2 > 80"
WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT", "UINTEGER"})
REAL = ("FLOAT", "DECIMAL", "UBIGINT", "HUGEINT", "UHUGEINT")


@dataclass(frozen=True)
class Catalog:
    """All rows of a catalog in file order. `kinds` are the DuckDB types of its columns."""

    path: Path
    rows: tuple[ImageRow, ...]
    kinds: Mapping[str, str]

    @classmethod
    def open(cls, path: Path, asked: Collection[str] = ()) -> Catalog:
        """Read a catalog file.

        Parameters
        ----------
        path
            The file.
        asked
            Collections that are wanted of it: if it is lost, the error says how these come back.

        Raises
        ------
        CatalogError
            If the file is missing, is no Parquet file or lacks a column that it must have.
        """
        if not path.is_file():
            raise CatalogError("no catalog here", where=str(path), hint=_way_back(path, asked))
        try:
            with duckdb.connect(":memory:") as connection:
                kinds = _kinds(connection, path)
                missing = [name for name in MUST_HAVE if name not in kinds]
                if missing:
                    raise CatalogError(
                        f"no column '{missing[0]}'", where=str(path), hint="rebuild it"
                    )
                values = connection.execute(_select(kinds), [str(path)]).fetchall()
        except duckdb.Error as error:
            first = str(error).splitlines()[0]
            raise CatalogError(f"not a catalog: {first}", where=str(path)) from None
        rows = tuple(ImageRow.from_json(dict(zip(kinds, row, strict=True))) for row in values)
        _check_names(rows, path)
        return cls(path, rows, MappingProxyType(kinds))

    @property
    def collections(self) -> tuple[str, ...]:
        """The collections in order of first appearance."""
        return tuple(dict.fromkeys(row.collection for row in self.rows))

    def rows_of(self, collection: str) -> tuple[ImageRow, ...]:
        """The images of a collection.

        Raises
        ------
        CatalogError
            If there is no such collection.
        """
        found = tuple(row for row in self.rows if row.collection == collection)
        if not found:
            raise CatalogError(
                f"no collection '{collection}'",
                where=str(self.path),
                hint=f"there are {', '.join(self.collections)}",
            )
        return found

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
        values = [collection, *(v for _, values in conditions for v in values)]
        with self._table() as connection:
            if wanted.sql is not None:
                _check_condition(connection, wanted.sql, self.kinds)
                where += f" and ({wanted.sql}\n)"
            try:
                query = f"select image_id from catalog where {where}"
                found = {name for (name,) in connection.execute(query, values).fetchall()}
            except duckdb.Error as error:
                if wanted.sql is None:
                    raise
                raise _sql_problem(error) from None
        return tuple(row for row in self.rows if row.image_id in found)

    def blame(self, wanted: DatasetFilter, collection: str) -> str:
        """Which one condition, left out, would let images through; a hint for an empty dataset."""
        for key in (*wanted.columns, "sql"):
            rest = wanted.model_dump(by_alias=True, exclude={key}, exclude_none=True)
            n = len(self.select(DatasetFilter.model_validate(rest), collection))
            if n:
                return f"without '{key}' it would match {n}"
        return "no single condition is to blame: look at the catalog with `studyspec catalog ls`"

    def _table(self) -> duckdb.DuckDBPyConnection:
        """A locked database that holds the rows: a user's SQL can read nothing else."""
        connection = duckdb.connect(":memory:", config={"threads": "1"})
        connection.execute(f"create table catalog as {_select(self.kinds)}", [str(self.path)])
        for lock in LOCKS:
            connection.execute(lock)
        return connection


def _way_back(path: Path, asked: Collection[str]) -> str:
    """What brings a lost catalog back: the one that studyspec carries, or one's own images."""
    built = f"studyspec catalog build --output {path}"
    own = [name for name in asked if name not in CARRIED]
    added = [
        f"studyspec catalog add FOLDER --metadata CSV --collection {name} --catalog {path}"
        for name in own
    ]
    if own:
        return f"is its path right? your own images come back with: {'; '.join(added)}"
    if asked:
        return f"is its path right? it can be made again: {built}"
    return f"is its path right? that of the published and twin images: {built}"


def _kinds(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    """The type that each column of a file is read as: the catalog's own, or a plain one."""
    found = connection.execute(f"describe {READ}", [str(path)]).fetchall()
    return {
        name: BY_NAME[name].kind if name in BY_NAME else _plain(kind) for name, kind, *_ in found
    }


def _plain(kind: str) -> str:
    if kind in WHOLE:
        return "BIGINT"
    if kind.startswith(REAL):
        return "DOUBLE"
    return kind if kind in ("BIGINT", "DOUBLE", "BOOLEAN", "DATE") else "VARCHAR"


def _select(kinds: Mapping[str, str]) -> str:
    columns = ", ".join(
        f"cast({quoted(name)} as {kind}) as {quoted(name)}" for name, kind in kinds.items()
    )
    return READ.replace("*", columns, 1)


def _check_columns(names: Iterable[str], path: Path) -> None:
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            what = f"columns '{other}' and '{name}' differ in case alone"
            raise CatalogError(what, where=str(path), hint="rename one")


def _check_names(rows: Sequence[ImageRow], path: Path) -> None:
    for name in MUST_HAVE:
        if any(getattr(row, name) is None for row in rows):
            raise CatalogError(f"column '{name}' has empty cells", where=str(path))
    twice = [name for name, times in Counter(row.image_id for row in rows).items() if times > 1]
    if twice:
        raise CatalogError(f"more than one image is '{twice[0]}'", where=str(path))


def _check_condition(
    connection: duckdb.DuckDBPyConnection, sql: str, columns: Mapping[str, str]
) -> None:
    """Refuse a user's SQL that is not one condition on a row by itself."""
    try:
        # The form without brackets refuses what would close ours, as "true) or (true".
        for form in (f"select {sql}\n", f"select ({sql}\n)"):
            if len(duckdb.extract_statements(form)) != 1:
                raise FilterProblem("sql", "more than one SQL statement", ONE_CONDITION)
        found = connection.execute(f"select ({sql}\n) from catalog limit 0")
    except duckdb.Error as error:
        raise _sql_problem(error) from None
    assert found.description is not None
    kind = str(found.description[0][1])
    if kind != "BOOLEAN":
        raise FilterProblem("sql", f"its value is {kind}, not true or false", ONE_CONDITION)
    fault = not_of_the_row(connection, sql, columns)
    if fault:
        raise FilterProblem("sql", f"no condition on a row by itself: {fault}", ONE_CONDITION)


def _sql_problem(error: duckdb.Error) -> FilterProblem:
    first, *rest = str(error).splitlines()
    candidates = next((line for line in rest if line.startswith("Candidate")), ONE_CONDITION)
    return FilterProblem("sql", first, candidates)


@contextmanager
def changing(path: Path) -> Iterator[tuple[ImageRow, ...]]:
    """The rows of a catalog file, none if it is not there, while nobody else changes it.

    Raises
    ------
    CatalogError
        If it cannot be read, or its folder not be written to.
    """
    try:
        with locked(path):
            for left in path.parent.glob(f".{'[0-9a-f]' * 32}.{path.name}"):
                left.unlink()  # by a killed process: whoever holds the lock is alone
            yield Catalog.open(path).rows if path.exists() else ()
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise CatalogError(what, where=str(error.filename or path)) from None


def write_catalog(rows: Sequence[ImageRow], path: Path) -> None:
    """Write a catalog file; equal rows give equal bytes.

    Units and meanings of the columns stand in the file's key-value metadata.

    Raises
    ------
    CatalogError
        If the file cannot be written, or two columns differ in case alone.
    """
    further = dict.fromkeys(name for row in rows for name in row.further)
    kinds = {c.name: c.kind for c in COLUMNS} | {name: _kind(rows, name) for name in further}
    _check_columns(kinds, path)
    values = [row.values() for row in rows]
    try:
        with whole(path) as half:
            _write(kinds, values, half)
    except (OSError, duckdb.Error) as error:
        first = str(error).splitlines()[0]
        raise CatalogError(f"cannot be written: {first}", where=str(path)) from None


def _write(kinds: Mapping[str, str], rows: Sequence[Mapping[str, Value]], path: Path) -> None:
    notes = {c.name: {"meaning": c.meaning, "unit": c.unit} for c in COLUMNS}
    metadata = canonical_json(notes).replace("'", "''")
    target = str(path).replace("'", "''")
    columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in kinds.items())
    with (
        NamedTemporaryFile("w", encoding="utf-8", suffix=".json") as lines,
        duckdb.connect(":memory:", config={"threads": "1"}) as connection,
    ):
        # A thousand times as fast as parameters, each of which duckdb tries to import pandas for
        lines.writelines(
            json.dumps({name: _written(value) for name, value in row.items()}) + "\n"
            for row in rows
        )
        lines.flush()
        connection.execute(f"create table catalog ({columns})")
        if rows:
            connection.execute(
                "insert into catalog select * from read_json(?, format = 'newline_delimited', "
                "columns = ?)",
                [lines.name, dict(kinds)],
            )
        connection.execute(
            f"copy catalog to '{target}' "
            f"(format parquet, compression zstd, kv_metadata {{columns: '{metadata}'}})"
        )


def _written(value: Value) -> Value:
    """As JSON has it, which knows neither dates nor infinities: DuckDB reads their names."""
    plain = isinstance(value, int | str | None) or (
        isinstance(value, float) and math.isfinite(value)
    )
    return value if plain else str(value)


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
