"""Ingesting: from record files to tables. May be done again, by two at once, or be killed."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from studyspec.errors import DatabaseBusy
from studyspec.machine import THIS
from studyspec.store.connection import Connection
from studyspec.store.database import new_database, open_database
from studyspec.store.folder import Results
from studyspec.store.formulas import formulas
from studyspec.store.patch_sizes import PatchSizes
from studyspec.store.plan_tables import insert_plans
from studyspec.store.record_file import EarlierResultsError
from studyspec.store.record_tables import Earlier, insert_records
from studyspec.store.records import record_names
from studyspec.store.sums import Sums
from studyspec.store.verdicts import fault, write_refused

BATCH_FILES = 512
BATCH_BYTES = 1 << 26
BREATH_S = 0.005
PATIENCE_S = 10.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _File:
    """A record file as read: its text, or why there is none."""

    name: str
    stamp: str
    hash: str = ""
    text: str = ""
    problem: str = ""


def ingest(results: Results, patience_s: float | None = None) -> int:
    """Bring the database up to date with the records, batch by batch; how many were new.

    A record that cannot be read is told of once, noted, and passed over until it changes. Results
    that can only be read are left as they are.

    Raises
    ------
    DatabaseBusy
        If others have the database open, for longer than `patience_s` [s] (None: as it takes).
    EarlierResultsError
        If a record, or the database, is of an earlier version.
    """
    if results.database.exists() and not results.writable:
        return 0  # an archive: what its database tells is all that can be told
    total = 0
    while record_names(results):
        with open_database(results, patience_s=patience_s) as connection:
            found, more = _ingest_batch(results, connection)
        total += found
        if not more:
            break
        time.sleep(BREATH_S)  # whoever waits for the database has his turn
    return total


def ingest_if_free(results: Results, patience_s: float = PATIENCE_S) -> bool:
    """As `ingest`, but if others have the database open for long, it is told and left for later."""
    try:
        ingest(results, patience_s)
    except DatabaseBusy as busy:
        log.warning("%s", busy.text)
        return False
    return True


def rebuild(results: Results) -> int:
    """Make the whole database anew from the records; how many there were."""
    total = 0
    with new_database(results) as connection:
        more = True
        while more:
            found, more = _ingest_batch(results, connection)
            total += found
    return total


def _ingest_batch(results: Results, connection: Connection) -> tuple[int, bool]:
    """One transaction: how many records it brought, and whether there may be more."""
    names = _new_names(results, connection)
    if not names:
        return 0, False
    files = _read(results, names)
    connection.begin()
    problems = {file.name: file.problem for file in files if file.problem}
    whole = [(file.name, file.hash, file.text) for file in files if not file.problem]
    if whole:
        try:
            problems |= insert_records(connection, whole, PatchSizes(results).pixels)
        except Earlier as met:
            raise EarlierResultsError(results.folder, results.records / str(met)) from None
        problems |= insert_plans(connection)
        Sums(formulas()).update(connection)
    stamps = {file.name: file.stamp for file in files}
    connection.execute("delete from stored.unreadable where list_contains($1, record)", [[*stamps]])
    for name, problem in problems.items():
        connection.execute(
            "insert into stored.unreadable values (?, ?, ?)", [name, stamps[name], problem]
        )
    refused = connection.execute("select record, stamp, reason from stored.unreadable").fetchall()
    connection.commit()
    write_refused(results, {name: (stamp, why) for name, stamp, why in refused})
    for name, problem in problems.items():
        log.warning("%s: unreadable record: %s; passed over", results.records / name, problem)
    return len(files) - len(problems), len(files) < len(names)


def _new_names(results: Results, connection: Connection) -> list[str]:
    """Records that the database does not hold, but for unreadable ones that are as they were."""
    known = connection.execute(
        "select record from stored.attempt union all select record from stored.plan"
    ).fetchall()
    unreadable = connection.execute("select record, stamp from stored.unreadable").fetchall()
    names = record_names(results) - {name for (name,) in known}
    same = {name for name, known in unreadable if known == THIS.stamp(results.records / name)}
    return sorted(names - same)


def _read(results: Results, names: Sequence[str]) -> list[_File]:
    """The first of these files, as many as are good for one transaction."""
    files: list[_File] = []
    size = 0
    for name in names[:BATCH_FILES]:
        if size > BATCH_BYTES:
            break
        files.append(_read_one(results.records / name))
        size += len(files[-1].text)
    return files


def _read_one(path: Path) -> _File:
    seen = THIS.stamp(path)
    try:
        data = path.read_bytes()
        text = data.decode()
        problem = fault(path, text)
        if problem:
            return _File(path.name, seen, problem=problem)
        return _File(path.name, seen, hashlib.sha256(data).hexdigest(), text)
    except OSError as error:
        return _File(path.name, seen, problem=error.strerror or str(error))
    except UnicodeDecodeError:
        return _File(path.name, seen, problem="not text")
