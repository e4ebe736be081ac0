"""Records: one JSON file for each attempt at a job and each plan. Knows no database.

A record is durable before it bears its name, and is never changed after: the name is the result.
Its first line, the head, holds all but ingredients and result, and can be read alone.
"""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from studyspec.errors import StoreError
from studyspec.plan.jobs import Job
from studyspec.store.layout import Results

SCHEMA = 1
PACKAGES = ("studyspec", "torch", "numpy", "scipy")
BODY = ("ingredients", "result")
END = b"\n}\n"

Status = Literal["done", "error", "out_of_memory", "time_limit", "killed", "lost", "preempted"]
Record = dict[str, Any]


@dataclass(frozen=True)
class Circumstances:
    """When and where an attempt was made.

    Attributes
    ----------
    uuid
        The attempt's own name.
    started_at
        With a time zone.
    seconds
        How long it took.
    device
        "cpu", "cuda:0", ...; `device_name` is what its maker calls it.
    peak_memory_bytes
        Of the device; None if unknown.
    log
        The attempt's log, relative to the results folder.
    """

    uuid: str
    started_at: datetime
    seconds: float
    device: str
    device_name: str = ""
    peak_memory_bytes: int | None = None
    log: str | None = None


def new_record(
    job: Job,
    status: Status,
    circumstances: Circumstances,
    result: Mapping[str, Any] | None = None,
    error: Mapping[str, str] | None = None,
) -> Record:
    """The record of an attempt that ends now; `error` has kind, message and hint."""
    return {
        "schema": SCHEMA,
        "key": job.key,
        "uuid": circumstances.uuid,
        "stage": job.stage,
        "status": status,
        "weights_sha256": None if result is None else result.get("weights_sha256"),
        "started_at": _utc(circumstances.started_at),
        "finished_at": _utc(datetime.now(UTC)),
        "seconds": round(circumstances.seconds, 3),
        "peak_memory_bytes": circumstances.peak_memory_bytes,
        "device": circumstances.device,
        "device_name": circumstances.device_name or platform.processor() or platform.machine(),
        "host": platform.node(),
        "versions": versions(),
        "error": error,
        "log": circumstances.log,
        "ingredients": job.ingredients,
        "result": result,
    }


def new_plan_record(key: str, plan: Mapping[str, Any]) -> Record:
    """The record of a plan made now; study and profile stand in its head."""
    now = _utc(datetime.now(UTC))
    return {
        "schema": SCHEMA,
        "key": key,
        "uuid": uuid4().hex,
        "stage": "plan",
        "status": "done",
        "study": plan["study"],
        "profile": plan["profile"],
        "started_at": now,
        "finished_at": now,
        "host": platform.node(),
        "versions": versions(),
        "result": {**plan, "created_at": now},
    }


def write_record(results: Results, record: Mapping[str, Any]) -> Path:
    """Write a record so that it outlives a loss of power; one of this name is left as it is.

    Numbers that are not finite become null: JSON has none.
    """
    path = results.record(record["key"], record["uuid"])
    if path.exists():
        return path
    results.records.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}")
    with half.open("wb") as file:
        file.write(_encoded(record))
        file.flush()
        os.fsync(file.fileno())
    half.rename(path)
    _sync_folder(results.records)
    return path


def read_record(path: Path) -> Record:
    """A whole record.

    Raises
    ------
    StoreError
        If it cannot be read, is cut short, or is no record.
    """
    try:
        record = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise _unreadable(path, str(error)) from None
    return _checked(path, record)


def read_head(path: Path) -> Record:
    """A record without ingredients and result, if it can be read alone; else all of it.

    Raises
    ------
    StoreError
        As `read_record`.
    """
    with suppress(OSError, ValueError), path.open("rb") as file:
        line = file.readline()
        file.seek(-len(END), os.SEEK_END)
        if file.read() == END and line.endswith(b",\n"):
            return _checked(path, json.loads(line[:-2] + b"}"))
    return read_record(path)  # written by other hands, or not readable at all


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that results depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _encoded(record: Mapping[str, Any]) -> bytes:
    head = {name: value for name, value in record.items() if name not in BODY}
    lines = [_json(head)[:-1]]
    lines += [f"{_json(name)}:{_json(record[name])}" for name in BODY if name in record]
    return ",\n".join(lines).encode("utf-8", "replace") + END


def _json(value: Any) -> str:
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except ValueError:
        return _json(_finite(value))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value


def _checked(path: Path, record: Any) -> Record:
    if not isinstance(record, dict):
        raise _unreadable(path, "not a record")
    for name in ("key", "stage", "status", "finished_at"):
        if not isinstance(record.get(name), str):
            raise _unreadable(path, f"no '{name}'")
    if not isinstance(record.get("error") or {}, dict):
        raise _unreadable(path, "its error is no table")
    try:
        datetime.fromisoformat(record["finished_at"])
    except ValueError:
        raise _unreadable(path, f"'{record['finished_at']}' is no time") from None
    if record.get("schema") != SCHEMA:
        raise _unreadable(path, f"schema {record.get('schema')}, known is {SCHEMA}")
    return record


def _unreadable(path: Path, why: str) -> StoreError:
    return StoreError(
        f"unreadable record: {why}",
        where=str(path),
        hint="copy it anew from where it came, or delete it: its job is done again",
    )


def _utc(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
