"""Records: one immutable file for each attempt; its rename into place IS the result.

A record is one line of JSON. Its scalars come first, ingredients and result last, so that the head
of a large record can be read alone. Workers import this; it knows no database.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from studyspec import __version__
from studyspec.errors import StoreError
from studyspec.spec.identity import digest
from studyspec.store.layout import Results

SCHEMA = 1
BODY = ',"ingredients":'
HEAD_BYTES = 1 << 14
PACKAGES = ("torch", "numpy", "scipy", "duckdb")


@dataclass(frozen=True)
class KeyStatus:
    """What all records of one key say together.

    `done` if any attempt is; then `path` and `weights_sha256` are those of the chosen record, the
    earliest, then that of the lowest hash. `failures` counts attempts that failed by themselves (a
    preempted one did not); `last_*` are of the last of these.
    """

    done: bool = False
    failures: int = 0
    last_status: str | None = None
    last_message: str | None = None
    last_log: str | None = None
    weights_sha256: str | None = None
    path: Path | None = None
    rank: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Measured:
    """How an attempt went: when it began [UTC], how long it took, on what."""

    started_at: datetime
    seconds: float
    device: str = "cpu"
    device_name: str = ""
    peak_memory_bytes: int | None = None


def new_record(
    key: str,
    uuid: str,
    stage: str,
    status: str,
    measured: Measured,
    ingredients: Mapping[str, Any],
    **said: Any,
) -> dict[str, Any]:
    """A record that `write_record` can write; `said` may hold result, error and log."""
    result, error = said.get("result"), said.get("error")
    return {
        "schema": SCHEMA,
        "key": key,
        "uuid": uuid,
        "stage": stage,
        "status": status,
        "weights_sha256": None if result is None else result.get("weights_sha256"),
        "started_at": measured.started_at.isoformat(timespec="milliseconds"),
        "finished_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "seconds": round(measured.seconds, 3),
        "peak_memory_bytes": measured.peak_memory_bytes,
        "device": measured.device,
        "device_name": measured.device_name or platform.processor() or platform.machine(),
        "host": socket.gethostname(),
        "versions": versions(),
        "error": error,
        "log": said.get("log"),
        "ingredients": dict(ingredients),
        "result": result,
    }


def write_record(results: Results, record: Mapping[str, Any]) -> Path:
    """Write a record so that it is whole or not there, and outlives a loss of power."""
    results.records.mkdir(parents=True, exist_ok=True)
    path = results.record(record["key"], record["uuid"])
    half = path.with_name(f".{path.name}")
    text = json.dumps(record, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    with half.open("w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    half.rename(path)
    folder = os.open(results.records, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return path


def write_plan(results: Results, plan: Mapping[str, Any]) -> Path | None:
    """Write a plan record, unless the newest plan of the study and profile says the same."""
    key = digest(plan)
    newest = RecordIndex(results).newest_plan(plan["study"], plan["profile"])
    if newest is not None and newest.name.partition(".")[0] == key:
        return None
    stamp = datetime.now(UTC)
    uuid = hashlib.sha256(os.urandom(16)).hexdigest()[:32]
    record = new_record(key, uuid, "plan", "done", Measured(stamp, 0.0), {}, result=plan)
    head = {"study": plan["study"], "profile": plan["profile"]}
    first = {name: record.pop(name) for name in ("schema", "key", "uuid", "stage", "status")}
    return write_record(results, {**first, **head, **record})


def read_record(path: Path) -> dict[str, Any]:
    """A whole record.

    Raises
    ------
    StoreError
        If the file is no record.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"not a record: {error}", where=str(path), hint="delete it") from None
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        raise StoreError("not a record of this version", where=str(path), hint="delete it")
    return record


def read_head(path: Path) -> dict[str, Any] | None:
    """The scalars of a record; None if the file is no record."""
    try:
        with path.open("rb") as file:
            start = file.read(HEAD_BYTES)
        head, found, _ = start.decode("utf-8", "ignore").partition(BODY)
        values = json.loads(head + "}") if found else json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    known = isinstance(values, dict) and values.get("schema") == SCHEMA
    return values if known else None


class RecordIndex:
    """What the records say of each key; a refresh opens only files that it has not seen."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._seen: set[str] = set()
        self._statuses: dict[str, KeyStatus] = {}
        self._plans: dict[tuple[str, str | None], tuple[str, Path]] = {}

    def statuses(self) -> Mapping[str, KeyStatus]:
        """The status of every key that has a record, as of now."""
        self._refresh()
        return self._statuses

    def newest_plan(self, study: str, profile: str | None) -> Path | None:
        """The newest plan record of a study and profile."""
        self._refresh()
        return self._plans.get((study, profile), ("", None))[1]

    def _refresh(self) -> None:
        for path in new_records(self._results, self._seen):
            self._seen.add(path.name)
            head = read_head(path)
            if head is None:
                continue
            if head["stage"] == "plan":
                asked = head["study"], head["profile"]
                at = head["finished_at"], path
                self._plans[asked] = max(self._plans.get(asked, ("", path)), at)
            else:
                old = self._statuses.get(head["key"], KeyStatus())
                self._statuses[head["key"]] = _with(old, head, path)


def new_records(results: Results, seen: set[str]) -> Iterator[Path]:
    """Record files whose names are not in `seen`, in name order."""
    try:
        with os.scandir(results.records) as entries:
            names = {e.name for e in entries if e.name.endswith(".json") and e.name[0] != "."}
    except FileNotFoundError:
        return
    for name in sorted(names - seen):
        yield results.records / name


def trained_weights(results: Results, key: str) -> list[str]:
    """The hashes of the weights that trainings of this key gave, the chosen one first."""
    found = []
    for path in results.records.glob(f"{key}.*.json"):
        head = read_head(path)
        if head is not None and head["status"] == "done" and head["weights_sha256"]:
            found.append((*_rank(head, path), head["weights_sha256"]))
    return [sha for *_, sha in sorted(found)]


def _with(status: KeyStatus, head: Mapping[str, Any], path: Path) -> KeyStatus:
    if head["status"] == "done":
        rank = _rank(head, path)
        if status.done and status.rank <= rank:
            return status
        return replace(
            status, done=True, weights_sha256=head["weights_sha256"], path=path, rank=rank
        )
    if head["status"] == "preempted":
        return status
    error = head["error"] or {}
    message = "; ".join(error[part] for part in ("message", "hint") if error.get(part))
    return replace(
        status,
        failures=status.failures + 1,
        last_status=head["status"],
        last_message=message or head["status"].replace("_", " "),
        last_log=head["log"],
    )


def _rank(head: Mapping[str, Any], path: Path) -> tuple[str, str]:
    """The order in which records of one key are chosen: the earliest, then by name."""
    return head["finished_at"], path.name


@cache
def versions() -> dict[str, str]:
    """Versions of what decides numbers."""
    found = {"studyspec": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
