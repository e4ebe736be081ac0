"""Records: one JSON file for each attempt at a job and each plan. Knows no database.

A record is durable before it bears its name, and is never changed after: the name is the result.
Its first line, the head, holds all but ingredients and result, and can be read alone.
"""

from __future__ import annotations

import json
import math
import platform
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from pydantic import JsonValue, ValidationError

from studyspec import files
from studyspec.errors import PluginError, StoreError
from studyspec.jobs.evaluate import Evaluate
from studyspec.jobs.stages import Job
from studyspec.jobs.task import Result, providers
from studyspec.machine import THIS, Machine
from studyspec.store.folder import Results
from studyspec.store.head import Circumstances, Failure, Head, PlanName, PlanSequence, Status

__all__ = [
    "Circumstances",
    "EarlierResultsError",
    "Failure",
    "Head",
    "PlanName",
    "PlanSequence",
    "Record",
    "Status",
    "head_of",
    "new_plan_record",
    "new_record",
    "read_head",
    "read_record",
    "write_record",
]

SCHEMA = 2
PLAN = "plan"
"""Stands in place of a stage in the record of a plan."""
PACKAGES = ("studyspec", "torch", "numpy", "scipy")
END = b"\n}\n"

Json = dict[str, JsonValue]
R = TypeVar("R", bound=Result)


class EarlierResultsError(StoreError):
    """Results of an earlier version of studyspec, which this one cannot read."""

    def __init__(self, folder: Path, met: Path | None = None) -> None:
        super().__init__(
            "results of an earlier version of studyspec",
            where=str(met or folder),
            hint=f"move the folder {folder} away: this version does its jobs anew",
        )


@dataclass(frozen=True)
class Record:
    """A record: its head, what decided the result, and the result, both as JSON."""

    head: Head
    ingredients: Json | None = None
    result: Json | None = None

    def parsed(self, model: type[R]) -> R:
        """The result as its stage's model.

        Raises
        ------
        StoreError
            If there is none, or it does not fit.
        """
        try:
            return model.model_validate(self.result)
        except ValidationError as error:
            raise StoreError(
                f"its result is none of stage '{self.head.stage}': {_first(error)}",
                where=f"record {self.head.key}.{self.head.uuid}",
                hint="was it written by another version of studyspec?",
            ) from None


def new_record(
    job: Job,
    status: Status,
    circumstances: Circumstances,
    result: Result | None = None,
    error: Failure | None = None,
    machine: Machine = THIS,
) -> Record:
    """The record of an attempt that ends now."""
    head = Head(
        key=job.key,
        uuid=circumstances.uuid,
        stage=job.stage,
        status=status,
        weights_sha256=getattr(result, "weights_sha256", None),
        network=job.task.network if isinstance(job.task, Evaluate) else None,
        started_at=circumstances.started_at,
        finished_at=datetime.fromtimestamp(machine.now(), UTC),
        seconds=round(circumstances.seconds, 3),
        peak_memory_bytes=circumstances.peak_memory_bytes,
        device=circumstances.device,
        device_name=circumstances.device_name or platform.processor() or platform.machine(),
        host=platform.node(),
        versions=versions(),
        plugins=_plugins(job),
        error=error,
        log=circumstances.log,
    )
    return Record(head, job.task.ingredients, None if result is None else result.written())


def new_plan_record(key: str, name: PlanName, plan: Json, newest: Head | None = None) -> Record:
    """The record of a plan made now; `newest` is the head of the one that was the newest so far."""
    now = datetime.now(UTC)
    head = Head(
        key=key,
        uuid=uuid4().hex,
        stage=PLAN,
        status="done",
        started_at=now,
        finished_at=now,
        host=platform.node(),
        versions=versions(),
        plan=name,
        sequence=PlanSequence(
            number=1 if newest is None else newest.sequence.number + 1,
            parent=None if newest is None else newest.uuid,
        ),
    )
    return Record(head, result=plan)


def write_record(results: Results, record: Record) -> Path:
    """Write a record so that it outlives a loss of power; one of this name is left as it is.

    Numbers that are not finite become null: JSON has none.
    """
    path = results.record(record.head.key, record.head.uuid)
    if not results.machine.exists(path):
        files.write(path, _encoded(record), machine=results.machine)
    return path


def read_record(path: Path, machine: Machine = THIS) -> Record:
    """A whole record.

    Raises
    ------
    StoreError
        If it cannot be read, is cut short, or is no record.
    """
    try:
        values = _loaded(machine.read(path))
    except (OSError, ValueError) as error:
        raise _unreadable(path, str(error)) from None
    head = _head(path, values)
    assert isinstance(values, dict)
    return Record(head, *(_table(path, values, name) for name in ("ingredients", "result")))


def read_head(path: Path, machine: Machine = THIS) -> Head:
    """The head of a record, alone if that can be done.

    Raises
    ------
    StoreError
        As `read_record`.
    """
    with suppress(OSError, ValueError):
        line, end = machine.ends(path, len(END))
        if end == END and line.endswith(b",\n"):
            return _head(path, _loaded(line[:-2] + b"}"))
    return read_record(path, machine).head  # written by other hands, or not readable at all


def head_of(path: Path, text: str) -> Head:
    """The head of a record whose text is at hand; raises StoreError, ValueError."""
    line = text.partition("\n")[0]
    return _head(path, _loaded(f"{line[:-1]}}}" if line.endswith(",") else text))


def _loaded(text: str | bytes) -> JsonValue:
    """JSON; raises ValueError for all that is none, or that no record is like."""
    try:
        found: JsonValue = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    return found


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that results depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _plugins(job: Job) -> dict[str, str]:
    try:
        return {name: str(one) for name, one in providers(job.task).items()}
    except PluginError:  # the job fails for want of one, and that it did is to be recorded
        return {}


def _encoded(record: Record) -> bytes:
    head: Json = {"schema": SCHEMA, **record.head.written()}
    body = {"ingredients": record.ingredients, "result": record.result}
    lines = [_json(head)[:-1]]
    lines += [f'"{name}":{_json(value)}' for name, value in body.items() if value is not None]
    return ",\n".join(lines).encode("utf-8", "replace") + END


def _json(value: JsonValue) -> str:
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except ValueError:
        return _json(_finite(value))


def _finite(value: JsonValue) -> JsonValue:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value


def _head(path: Path, values: JsonValue) -> Head:
    if not isinstance(values, dict):
        raise _unreadable(path, "not a record")
    schema = values.get("schema")
    if type(schema) is int and 1 <= schema < SCHEMA:
        raise EarlierResultsError(path.parent.parent, path)
    if schema != SCHEMA:
        raise _unreadable(path, f"schema {schema}, known is {SCHEMA}")
    try:
        return Head.model_validate(values)
    except ValidationError as error:
        raise _unreadable(path, _first(error)) from None


def _table(path: Path, values: Json, name: str) -> Json | None:
    found = values.get(name)
    if found is None or isinstance(found, dict):
        return found
    raise _unreadable(path, f"its {name} is no table")


def _first(error: ValidationError) -> str:
    """The first mistake that pydantic found: where, and what."""
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    what = first["msg"].removeprefix("Value error, ")
    return f"{place}: {what}" if place else what


def _unreadable(path: Path, why: str) -> StoreError:
    return StoreError(
        f"unreadable record: {why}",
        where=str(path),
        hint="copy it anew from where it came, or delete it: its job is done again",
    )
