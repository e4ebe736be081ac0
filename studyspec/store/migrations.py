"""Migrations: bringing the tables and views of a database to the form that this version wants.

Tables of plans change by ordered named steps. Those of stages follow their models: what is new
there is added. Sums and views are made anew where the metrics that are installed want others.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from studyspec.errors import StoreError
from studyspec.spec.identity import digest
from studyspec.store.connection import Connection
from studyspec.store.formulas import Formulas, formulas
from studyspec.store.image_views import image_views, make_image_views
from studyspec.store.record_file import EarlierResultsError
from studyspec.store.rules import AGREEMENT
from studyspec.store.score_views import score_views
from studyspec.store.sql_types import Column
from studyspec.store.stage_tables import ATTEMPT, RECORD, all_stage_tables
from studyspec.store.sums import Sums

Migration = Callable[[Connection], None]


def plan_tables(connection: Connection) -> None:
    """All tables of plans."""
    connection.execute(_shipped("tables.sql"))


def plan_numbers(connection: Connection) -> None:
    """The place of each plan in the sequence of plans; those of before bear none."""
    connection.execute("alter table stored.plan add column number bigint default 0")


MIGRATIONS: tuple[Migration, ...] = (plan_tables, plan_numbers)


def migrate(connection: Connection, folder: Path) -> None:
    """Bring tables and views up to date, in one transaction; `folder` is told of in errors.

    Raises
    ------
    StoreError
        If another version of studyspec has been here.
    """
    if is_current(connection, folder):
        return
    installed = formulas()
    connection.begin()
    connection.execute("create schema if not exists stored")
    connection.execute(
        "create table if not exists stored.migration (position integer, name varchar)"
    )
    connection.execute("create table if not exists stored.form (part varchar, digest varchar)")
    for position in range(_applied(connection, folder), len(MIGRATIONS)):
        step = MIGRATIONS[position]
        step(connection)
        connection.execute("insert into stored.migration values (?, ?)", [position, step.__name__])
    for name, columns in _stage_tables().items():
        _grow(connection, name, columns)
    sums = Sums(installed)
    summed = _found(connection).get("sums") == sums.digest
    if not summed:
        sums.make(connection)
    make_views(connection, installed)
    if not summed:
        sums.fill(connection)
    connection.execute("delete from stored.form")
    connection.executemany("insert into stored.form values (?, ?)", [*_wanted(installed).items()])
    connection.commit()


def is_current(connection: Connection, folder: Path) -> bool:
    """Whether the tables and views are those of this version and of the metrics installed."""
    if not _has(connection, "migration") or not _has(connection, "form"):
        return False
    applied = _applied(connection, folder) == len(MIGRATIONS)
    return applied and _found(connection) == _wanted(formulas())


def make_views(connection: Connection, installed: Formulas) -> None:
    """Make all views anew, those with the columns of the catalogs too."""
    for statement in score_views(installed):
        connection.execute(statement)
    connection.execute(_views())
    make_image_views(connection, installed)


def _stage_tables() -> dict[str, tuple[Column, ...]]:
    """The columns of every table that follows from a model."""
    attempt = (RECORD, Column("hash", "VARCHAR"), *ATTEMPT)
    return {"attempt": attempt, **{table.name: table.columns for table in all_stage_tables()}}


def _grow(connection: Connection, name: str, columns: tuple[Column, ...]) -> None:
    """Make a table, or add to it what it lacks; older rows hold what is left out of records."""
    if not _has(connection, name):
        declared = ", ".join(column.declared for column in columns)
        connection.execute(f"create table stored.{name} ({declared})")
        return
    for column in columns:
        connection.execute(
            f"alter table stored.{name} add column if not exists {column.declared} "
            f"default {column.default}"
        )


def _wanted(installed: Formulas) -> dict[str, str]:
    """The digests of the parts of this version's form."""
    views = [*score_views(installed), *image_views(installed, ""), _views()]
    tables = {name: [c.declared for c in columns] for name, columns in _stage_tables().items()}
    return {"tables": digest(tables), "sums": Sums(installed).digest, "views": digest(views)}


def _found(connection: Connection) -> dict[str, str]:
    rows = connection.execute("select part, digest from stored.form").fetchall()
    return {str(part): str(found) for part, found in rows}


def _applied(connection: Connection, folder: Path) -> int:
    """How many migrations the database has seen."""
    found = connection.execute("select name from stored.migration order by position").fetchall()
    names = [str(name) for (name,) in found]
    known = [step.__name__ for step in MIGRATIONS]
    if names == known[: len(names)]:
        return len(names)
    if names[: len(known)] == known:
        raise StoreError(
            "the database was made by a later version of studyspec",
            where=str(folder),
            hint="install that one, or delete the file: `studyspec ingest` makes it anew",
        )
    raise EarlierResultsError(folder)


def _has(connection: Connection, table: str) -> bool:
    found = connection.execute(
        "select count(*) from duckdb_tables() where schema_name = 'stored' and table_name = ?",
        [table],
    ).fetchone()
    return found == (1,)


def _views() -> str:
    return _shipped("views.sql").replace(":agreement", f"{AGREEMENT:g}")


def _shipped(name: str) -> str:
    return files("studyspec.store").joinpath(name).read_text(encoding="utf-8")
