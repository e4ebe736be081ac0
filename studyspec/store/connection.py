"""Connections: the database file opened in one place, under our own lock. Knows no table."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from studyspec.errors import DatabaseBusy, StoreError
from studyspec.store.folder import Results

Connection = duckdb.DuckDBPyConnection
LOCKED = "Could not set lock"
LOOK_S = 0.05
Config = dict[str, str | bool | int | float | list[str]]

READING: Config = {
    "enable_external_access": False,
    "python_enable_replacements": False,
    "lock_configuration": True,
}
"""Whoever only reads can reach no file and no Python object, and cannot change that."""


@contextmanager
def locked(
    results: Results, shared: bool = False, patience_s: float | None = None
) -> Iterator[None]:
    """Hold the lock beside the database, from before it is opened until after it is closed.

    DuckDB reads the file before it takes its own lock, and then loses what another process commits.

    Raises
    ------
    DatabaseBusy
        If others hold it, and it was not given up within `patience_s` [s] (None: wait).
    """
    if shared and not results.writable:
        with _read_locked(results):
            yield
        return
    with results.machine.opened_lock(results.lock) as lock:
        if patience_s is None:
            lock.take(shared)
        else:
            end = time.monotonic() + patience_s
            while not lock.take(shared, wait=False):
                if time.monotonic() > end:
                    raise DatabaseBusy("it is being read or written", where=str(results.database))
                time.sleep(LOOK_S)
        yield


@contextmanager
def _read_locked(results: Results) -> Iterator[None]:
    """The lock of an archive: taken if its file is there, for somebody else may write to it."""
    try:
        lock = os.open(results.lock, os.O_RDONLY)
    except OSError:
        yield
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield
    finally:
        os.close(lock)


@contextmanager
def connected(path: Path, reading: Config | None = None) -> Iterator[Connection]:
    """The file as a database, to be read only if there is a configuration for that.

    Raises
    ------
    DatabaseBusy
        If another program has it open.
    StoreError
        If it cannot be opened.
    KeyboardInterrupt
        For what DuckDB makes of one while it works: a `RuntimeError` of these two words.
    """
    try:
        connection = duckdb.connect(str(path), read_only=reading is not None, config=reading or {})
    except duckdb.Error as error:
        if LOCKED in str(error):
            raise _busy(path, str(error)) from None
        raise StoreError(
            f"the database cannot be opened: {str(error).splitlines()[0]}",
            where=str(path),
            hint="delete it: `studyspec ingest` makes it anew from the records",
        ) from None
    try:
        yield connection
    except RuntimeError as error:
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from None
        raise
    finally:
        connection.close()


def copy(path: Path, folder: Path) -> Path:
    """A copy of a database that nobody writes, with its log; who holds the lock may ask.

    Raises
    ------
    OSError
        If there is no room for it.
    DatabaseBusy
        If another program writes to it.
    """
    try:
        with path.open("rb") as file:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            fcntl.lockf(file, fcntl.LOCK_UN)
    except (BlockingIOError, PermissionError):
        raise _busy(path, "") from None
    copied = folder / path.name
    for one in (path, log_of(path)):
        if one.exists():
            shutil.copyfile(one, folder / one.name)
    return copied


def _busy(path: Path, told: str) -> DatabaseBusy:
    holder = re.search(r"held in (.*?\(PID \d+\))", told)
    who = holder[1] if holder else "another program"
    return DatabaseBusy(
        f"{who} has the database open",
        where=str(path),
        hint="close it there; results are kept as records, and taken in by the next run or "
        "`studyspec ingest`",
    )


def log_of(database: Path) -> Path:
    """DuckDB's log of what is not yet in the file itself."""
    return database.with_name(f"{database.name}.wal")
