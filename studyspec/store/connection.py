"""Connections: the database file opened in one place, under our own lock. Knows no table."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from studyspec.errors import StoreError
from studyspec.store.folder import Results

Connection = duckdb.DuckDBPyConnection
Config = dict[str, str | bool | int | float | list[str]]

READING: Config = {
    "enable_external_access": False,
    "python_enable_replacements": False,
    "lock_configuration": True,
}
"""Whoever only reads can reach no file and no Python object, and cannot change that."""


@contextmanager
def locked(results: Results, shared: bool = False) -> Iterator[None]:
    """Hold the lock beside the database, from before it is opened until after it is closed.

    DuckDB reads the file before it takes its own lock, and then loses what another process commits.
    """
    if shared and not writable(results):
        with _read_locked(results):
            yield
        return
    results.folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(results.lock, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def writable(results: Results) -> bool:
    """Whether results can be changed here; an archive can only be read."""
    folder = results.folder
    return not folder.exists() or os.access(folder, os.W_OK | os.X_OK)


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
    StoreError
        If it cannot be opened.
    KeyboardInterrupt
        For what DuckDB makes of one while it works: a `RuntimeError` of these two words.
    """
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
    except RuntimeError as error:
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from None
        raise
    finally:
        connection.close()


def log_of(database: Path) -> Path:
    """DuckDB's log of what is not yet in the file itself."""
    return database.with_name(f"{database.name}.wal")
