"""Snapshots: several questions to one state of the store, read-only, locked in, and limited."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from studyspec.errors import QueryError
from studyspec.store.connection import Config, Connection
from studyspec.store.database import copied_database
from studyspec.store.folder import Results
from studyspec.store.named import resolved

Kind = duckdb.StatementType
PART = 20_000
Cell = object
"""A value of whatever type its column has: a number, text, time, list, table, or None."""


@dataclass(frozen=True)
class Table:
    """The answer to a query: names of the columns, their DuckDB types, and the rows."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Cell, ...]]

    def dicts(self) -> list[dict[str, Cell]]:
        """Each row by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Limits:
    """How far a question of a user may go.

    Attributes
    ----------
    seconds
        Longest time [s].
    memory_GB
        Memory of DuckDB [GB]; nothing is put on the disk in its place.
    rows
        Most rows of an answer.
    """

    seconds: float = 600.0
    memory_GB: float = 4.0
    rows: int = 5_000_000

    @property
    def settings(self) -> Config:
        """As DuckDB takes them."""
        return {"memory_limit": f"{self.memory_GB}GB", "temp_directory": ""}


LIMITS = Limits()


@dataclass(frozen=True)
class Snapshot:
    """The store as it was when it was opened, whatever is changed meanwhile."""

    _connection: Connection
    _limits: Limits = LIMITS

    def query(self, sql: str) -> Table:
        """Answer a question of a user, in SQL or by a name ("@matrix").

        Nothing can be changed, no file and no Python object be read, no setting be set.

        Raises
        ------
        QueryError
            If the SQL is wrong, is not one statement, is no question, or goes beyond the limits.
        """
        sql, limits = resolved(sql), self._limits
        clock = threading.Timer(limits.seconds, self._connection.interrupt)
        clock.daemon = True
        clock.start()
        try:
            _check(self._connection, sql)
            return _table(self._connection.execute(sql), limits.rows)
        except duckdb.InterruptException:
            what = f"the query took longer than {limits.seconds:g} s"
            raise QueryError(what, hint="--time-limit gives it more") from None
        except duckdb.OutOfMemoryException:
            what = f"the query needs more memory than {limits.memory_GB:g} GB"
            raise QueryError(what, hint="--memory-limit gives it more") from None
        except duckdb.Error as error:
            raise _explained(self._connection, error) from None
        finally:
            clock.cancel()

    def ask(self, sql: str, values: Sequence[str] = ()) -> Table:
        """Answer a question of our own, with values in place of its question marks."""
        return _table(self._connection.execute(sql, list(values)))


@contextmanager
def snapshot(results: Results, limits: Limits | None = None) -> Iterator[Snapshot]:
    """One state of the store, for as many questions as a page needs; nobody waits for them.

    Raises
    ------
    NothingThere
        If there are no results.
    DatabaseBusy
        If another program writes to the database.
    """
    settings = None if limits is None else limits.settings
    with copied_database(results, settings) as connection:
        yield Snapshot(connection, limits or LIMITS)


def _check(connection: Connection, sql: str) -> None:
    """Refuse what is no single question. PIVOT counts as one: it makes a type, then asks."""
    kinds = [statement.type for statement in connection.extract_statements(sql)]
    if not kinds:
        raise QueryError("an empty query", hint=_names(connection))
    if "pivot" in sql.lower() and all(kind == Kind.CREATE for kind in kinds[:-1]):
        kinds = kinds[-1:]
    if len(kinds) > 1:
        raise QueryError(f"{len(kinds)} statements", hint="ask one at a time")
    if kinds[0] not in (Kind.SELECT, Kind.EXPLAIN):
        name = kinds[0].name.replace("_", " ")
        raise QueryError(f"{name} is not a question", hint="the store can only be read: SELECT")


def _table(answer: Connection, most: int | None = None) -> Table:
    description = answer.description or []
    columns = tuple(str(column[0]) for column in description)
    types = tuple(str(column[1]) for column in description)
    if most is None:
        return Table(columns, types, answer.fetchall())
    rows: list[tuple[Cell, ...]] = []
    while part := answer.fetchmany(PART):
        rows += part
        if len(rows) > most:
            what = f"the answer has more than {most:,} rows"
            raise QueryError(what, hint="ask for fewer: `limit`, or a sum over them")
    return Table(columns, types, rows)


def _explained(connection: Connection, error: duckdb.Error) -> QueryError:
    """DuckDB's message without its class and its drawing of the place, and what to do."""
    text = str(error)
    if "pytz" in text:
        return QueryError("a column holds times with a zone", hint="cast it: ::timestamp")
    lines = [line.strip() for line in text.partition("\nLINE ")[0].splitlines() if line.strip()]
    first = lines[0].partition(" Error: ")[2] or lines[0]
    what = " ".join([first, *lines[1:]])
    if isinstance(error, duckdb.CatalogException):
        return QueryError(what, hint=_names(connection))
    return QueryError(what, hint="`describe NAME` lists the columns of a view")


def _names(connection: Connection) -> str:
    found = connection.execute(
        "select view_name from duckdb_views() where schema_name = 'main' and not internal "
        "order by view_name"
    ).fetchall()
    return "there are " + ", ".join(name for (name,) in found)
