"""The database: opened for one statement or one burst, always whole and up to date in its form."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from studyspec import files
from studyspec.errors import NothingThere
from studyspec.store.connection import (
    READING,
    Config,
    Connection,
    connected,
    copy,
    locked,
    log_of,
)
from studyspec.store.folder import Results
from studyspec.store.migrations import is_current, migrate


@contextmanager
def open_database(
    results: Results, read_only: bool = False, patience_s: float | None = None
) -> Iterator[Connection]:
    """The database, for one statement or one burst; up to date in its form.

    To change it, others are waited for as long as `patience_s` [s] (None: as it takes).

    Raises
    ------
    NothingThere
        If it is to be read and is not there.
    DatabaseBusy
        If others have it open.
    StoreError
        If it cannot be opened, or was made by another version.
    """
    if read_only:
        with _read(results) as connection:
            yield connection
        return
    with locked(results, patience_s=patience_s):
        if not results.database.exists():
            with _made(results):
                pass
        with connected(results.database) as connection:
            migrate(connection, results.folder)
            yield connection


@contextmanager
def new_database(results: Results) -> Iterator[Connection]:
    """An empty database that takes the place of the one that is there, at the end and at once."""
    with locked(results), _made(results) as connection:
        yield connection


@contextmanager
def copied_database(results: Results, limits: Config | None = None) -> Iterator[Connection]:
    """A copy of the database as it is now, to be read for as long as one likes.

    Where there is no room for a copy it is the database itself, and who would change it waits.

    Parameters
    ----------
    limits
        Further settings of DuckDB.

    Raises
    ------
    NothingThere, DatabaseBusy, StoreError
        As `open_database`.
    """
    with open_database(results, read_only=True):
        pass  # it is there, and of this version's form
    reading = READING | (limits or {})
    with tempfile.TemporaryDirectory(prefix="studyspec-") as folder, ExitStack() as held:
        try:
            with locked(results, shared=True):
                path = copy(results.database, Path(folder))
        except OSError:
            held.enter_context(locked(results, shared=True))
            path = results.database
        with connected(path, reading) as connection:
            yield connection


@contextmanager
def _read(results: Results) -> Iterator[Connection]:
    while results.database.exists():
        with locked(results, shared=True), connected(results.database, READING) as connection:
            if is_current(connection, results.folder):
                yield connection
                return
        with open_database(results):
            pass  # it is of an earlier form: a reader cannot change it
    raise NothingThere(
        "no results here yet",
        where=str(results.folder),
        hint="`studyspec run` makes them, `studyspec ingest` reads copied records",
    )


@contextmanager
def _made(results: Results) -> Iterator[Connection]:
    """Make a database beside its place and put it there whole, so that none is ever half made."""
    for left in results.folder.glob(f".*.{results.database.name}*"):
        left.unlink()  # by a killed process: whoever holds the lock is alone
    with files.whole(results.database) as half:
        try:
            with connected(half) as connection:
                migrate(connection, results.folder)
                yield connection
                connection.execute("checkpoint")  # all into the file itself: its log stays behind
        finally:
            log_of(half).unlink(missing_ok=True)
        log_of(results.database).unlink(missing_ok=True)  # the old log must never meet the new file
