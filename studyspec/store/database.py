"""The database: opened in one place, under our own lock, made by ordered named migrations."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import duckdb

from studyspec.errors import NothingThere, StoreError
from studyspec.spec.identity import digest
from studyspec.store.image_views import make_image_views
from studyspec.store.layout import Results

Connection = duckdb.DuckDBPyConnection
Migration = Callable[[Connection], None]
Config = dict[str, str | bool | int | float | list[str]]

READING: Config = {
    "enable_external_access": False,
    "python_enable_replacements": False,
    "lock_configuration": True,
}
"""Whoever only reads can reach no file and no Python object, and cannot change that."""


@contextmanager
def open_database(results: Results, read_only: bool = False) -> Iterator[Connection]:
    """The database, for one statement or one burst; up to date in its form.

    A lock on a file beside it is held from before it is opened until after it is closed: DuckDB
    reads the file before it takes its own lock, and then loses what another process commits.

    Raises
    ------
    NothingThere
        If it is to be read and is not there.
    StoreError
        If it cannot be opened, or was made by a later version.
    """
    if read_only:
        with _read(results) as connection:
            yield connection
        return
    with _locked(results, fcntl.LOCK_EX):
        if not results.database.exists():
            with _made(results):
                pass
        with _connected(results.database) as connection:
            migrate(connection, MIGRATIONS)
            yield connection


@contextmanager
def new_database(results: Results) -> Iterator[Connection]:
    """An empty database that takes the place of the one that is there, at the end and at once."""
    with _locked(results, fcntl.LOCK_EX), _made(results) as connection:
        yield connection


@contextmanager
def _read(results: Results) -> Iterator[Connection]:
    while results.database.exists():
        with _locked(results, fcntl.LOCK_SH), _connected(results.database, READING) as connection:
            if is_current(connection, MIGRATIONS):
                yield connection
                return
        with open_database(results):
            pass  # it is of an earlier version: a reader cannot migrate it
    raise NothingThere(
        "no results here yet",
        where=str(results.folder),
        hint="`studyspec run` makes them, `studyspec ingest` reads copied records",
    )


@contextmanager
def _made(results: Results) -> Iterator[Connection]:
    """Make a database beside its place and put it there whole, so that none is ever half made."""
    new = results.database.with_suffix(".new")
    for path in (new, _log_of(new)):
        path.unlink(missing_ok=True)
    with _connected(new) as connection:
        migrate(connection, MIGRATIONS)
        yield connection
        connection.execute("checkpoint")  # all into the file itself: its log stays behind
    _log_of(results.database).unlink(missing_ok=True)  # the old log must never meet the new file
    new.replace(results.database)


def migrate(connection: Connection, migrations: Sequence[Migration]) -> None:
    """Bring tables and views up to date, in one transaction.

    Raises
    ------
    StoreError
        If a later version of studyspec has been here.
    """
    if is_current(connection, migrations):
        return
    connection.begin()
    connection.execute("create schema if not exists stored")
    connection.execute(
        "create table if not exists stored.migration (position integer, name varchar)"
    )
    connection.execute("create table if not exists stored.views (digest varchar)")
    for position in range(_applied(connection, migrations), len(migrations)):
        step = migrations[position]
        step(connection)
        connection.execute("insert into stored.migration values (?, ?)", [position, step.__name__])
    make_views(connection)
    connection.commit()


def is_current(connection: Connection, migrations: Sequence[Migration]) -> bool:
    """Whether the tables and views are those of this version."""
    if not _has(connection, "migration") or not _has(connection, "views"):
        return False
    views = connection.execute("select digest from stored.views").fetchall()
    return _applied(connection, migrations) == len(migrations) and views == [(_views_digest(),)]


def make_views(connection: Connection) -> None:
    """Make all views anew, those with the columns of the catalogs too."""
    connection.execute(_shipped("views.sql"))
    make_image_views(connection)
    connection.execute("delete from stored.views")
    connection.execute("insert into stored.views values (?)", [_views_digest()])


def first_tables(connection: Connection) -> None:
    """All tables of version 0.1."""
    connection.execute(_shipped("tables.sql"))


def measurements(connection: Connection) -> None:
    """Statistics of images."""
    connection.execute(_shipped("measurements.sql"))


MIGRATIONS: tuple[Migration, ...] = (first_tables, measurements)


def _applied(connection: Connection, migrations: Sequence[Migration]) -> int:
    """How many migrations the database has seen."""
    found = connection.execute("select name from stored.migration order by position").fetchall()
    known = [step.__name__ for step in migrations]
    if [name for (name,) in found] != known[: len(found)]:
        raise StoreError(
            "the database was made by a later version of studyspec",
            hint="install that one, or delete the file: `studyspec ingest` makes it anew",
        )
    return len(found)


def _has(connection: Connection, table: str) -> bool:
    found = connection.execute(
        "select count(*) from duckdb_tables() where schema_name = 'stored' and table_name = ?",
        [table],
    ).fetchone()
    return found == (1,)


def _shipped(name: str) -> str:
    return files("studyspec.store").joinpath(name).read_text(encoding="utf-8")


def _views_digest() -> str:
    return digest([_shipped("views.sql"), _shipped("image_views.py")])


@contextmanager
def _locked(results: Results, kind: int) -> Iterator[None]:
    results.folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(results.lock, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(lock, kind)
        yield
    finally:
        os.close(lock)


def _log_of(database: Path) -> Path:
    """DuckDB's log of what is not yet in the file itself."""
    return database.with_name(f"{database.name}.wal")


@contextmanager
def _connected(path: Path, reading: Config | None = None) -> Iterator[Connection]:
    try:
        connection = duckdb.connect(str(path), read_only=reading is not None, config=reading or {})
    except duckdb.Error as error:
        raise StoreError(
            f"the database cannot be opened: {str(error).splitlines()[0]}",
            where=str(path),
            hint="delete it: `studyspec ingest` makes it anew from the records",
        ) from None
    try:
        yield connection
    finally:
        connection.close()
