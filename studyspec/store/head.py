"""What the head of a record says: which job, how its attempt ended, when, where and with what."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer

from studyspec.spec.uses import Written

Status = Literal["done", "error", "out_of_memory", "time_limit", "killed", "lost", "preempted"]


def _time(value: object) -> datetime:
    if isinstance(value, str):
        with suppress(ValueError):
            value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        raise ValueError(f"{value!r} is no time")
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


Time = Annotated[
    datetime,
    BeforeValidator(_time),
    PlainSerializer(lambda time: time.isoformat(timespec="microseconds")),
]
"""In UTC."""


class Failure(Written):
    """Why an attempt failed: the kind of error, its message, and what to do."""

    kind: str
    message: str = ""
    hint: str = ""

    @property
    def text(self) -> str:
        """Message and hint."""
        return "; ".join(part for part in (self.message, self.hint) if part)


class PlanName(Written):
    """The study and profile of a plan."""

    study: str
    profile: str | None = None


class PlanSequence(Written):
    """Where a plan stands among those of its study and profile: clocks may lie, this does not.

    Attributes
    ----------
    number
        One more than that of the plan that was the newest when it was written; 0 in the records of
        earlier versions.
    parent
        The uuid of that plan; None if there was none.
    """

    number: int = Field(0, ge=0, le=2**53)
    parent: str | None = None


class Head(Written):
    """The head of a record.

    Attributes
    ----------
    key
        Of the job; of a plan the digest of all it says.
    uuid
        The attempt's own name.
    stage
        Of the job, or "plan".
    weights_sha256
        Hash of the weights that a training left, or an evaluation was made with.
    network
        What an evaluation tests: the key of a training, or "weights:" and a hash.
    seconds, peak_memory_bytes
        What the attempt took; memory of the device.
    versions
        Of Python and of the packages that results depend on.
    plugins
        Of each plug-in that the job uses, as "step.median": its distribution and version.
    log
        The attempt's log, relative to the results folder.
    plan
        The study and profile, of a plan.
    sequence
        Its place among these plans.
    """

    model_config = ConfigDict(extra="ignore")

    key: str
    uuid: str
    stage: str
    status: Status
    weights_sha256: str | None = None
    network: str | None = None
    started_at: Time
    finished_at: Time
    seconds: float = 0.0
    peak_memory_bytes: int | None = None
    device: str | None = None
    device_name: str | None = None
    host: str = ""
    versions: dict[str, str] = Field(default_factory=dict)
    plugins: dict[str, str] = Field(default_factory=dict)
    error: Failure | None = None
    log: str | None = None
    plan: PlanName | None = None
    sequence: PlanSequence = PlanSequence()


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
