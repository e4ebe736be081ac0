"""Queries: SQL of a user, read-only and locked in. Each opens the database for itself alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from studyspec.errors import QueryError
from studyspec.plan.jobs import STAGES
from studyspec.store.database import Connection, open_database
from studyspec.store.layout import Results
from studyspec.store.named import resolved

Kind = duckdb.StatementType


@dataclass(frozen=True)
class Table:
    """The answer to a query: names of the columns, their DuckDB types, and the rows."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def dicts(self) -> list[dict[str, Any]]:
        """Each row by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def user_query(results: Results, sql: str) -> Table:
    """Answer one question of a user, in SQL or by a name ("@matrix"), also while others write.

    Nothing can be changed, no file and no Python object be read, no setting be set.

    Raises
    ------
    NothingThere
        If there are no results.
    QueryError
        If the SQL is wrong, is not one statement, or is no question.
    """
    sql = resolved(sql)
    with open_database(results, read_only=True) as connection:
        try:
            _check(connection, sql)
            return _table(connection.execute(sql))
        except duckdb.Error as error:
            raise _explained(connection, error) from None


def study_matrix(results: Results, study: str, profile: str | None) -> list[dict[str, Any]]:
    """The view `matrix` of one study and profile.

    Raises
    ------
    NothingThere
        If there are no results.
    """
    with open_database(results, read_only=True) as connection:
        asked = "from matrix where study = ? and profile = ? order by all"
        return _table(connection.execute(asked, [study, profile or ""])).dicts()


def stage_seconds(results: Results) -> dict[str, float]:
    """Mean time of a done job of each stage [s]; empty without a database."""
    if not results.database.exists():
        return {}
    with open_database(results, read_only=True) as connection:
        found = connection.execute(
            "select stage, avg(seconds) from attempts where status = 'done' group by stage"
        ).fetchall()
        return dict(found)


def overview(results: Results) -> dict[str, Any]:
    """Jobs of all studies by stage: done, running, failed; and the failures with their logs.

    Raises
    ------
    NothingThere
        If there are no results.
    """
    with open_database(results, read_only=True) as connection:
        done = dict(connection.execute(
            "select stage, count(distinct key) from attempts where status = 'done' group by stage"
        ).fetchall())  # fmt: skip
        failures = connection.execute(
            "select stage, key, coalesce(error_message, status), log from failures order by stage"
        ).fetchall()
    claims = results.claims.iterdir() if results.claims.exists() else ()
    running = sorted(path.name for path in claims if "." not in path.name)
    failed = [stage for stage, *_ in failures]
    return {
        "stages": [
            [s, done.get(s, 0), None, None, failed.count(s)]
            for s in STAGES
            if s in done or s != "measure"
        ],
        "running": [key[:12] for key in running],
        "failed": [
            {
                "title": f"{stage} {key[:12]}",
                "reason": reason,
                "log": str(results.folder / (log or "")),
            }
            for stage, key, reason, log in failures
        ],
    }


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


def _table(answer: Connection) -> Table:
    description = answer.description or []
    columns = tuple(str(column[0]) for column in description)
    types = tuple(str(column[1]) for column in description)
    return Table(columns, types, answer.fetchall())


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


def words(results: Results) -> list[str]:
    """Names of all views and of their columns, for completion; nothing without a database."""
    if not results.database.exists():
        return []
    with open_database(results, read_only=True) as connection:
        found = connection.execute(
            "select distinct unnest([table_name, column_name]) as word from duckdb_columns() "
            "where schema_name = 'main' and not internal order by word"
        ).fetchall()
        return [word for (word,) in found]
