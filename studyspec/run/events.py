"""Events: what a run tells its caller while it goes on, and the summary at its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import JsonValue

from studyspec.jobs.stages import Job
from studyspec.jobs.task import Result, Task

Kind = Literal["started", "progress", "hung", "done", "again", "failed", "blocked"]


@dataclass(frozen=True)
class Event:
    """What happened to a job.

    Attributes
    ----------
    kind
        `again`: an attempt failed and the job will be tried anew. `hung`: its process does nothing.
    settled, total
        How many jobs of the run have ended, blocked ones included, and how many there are.
    message, log
        Of a failure.
    seconds
        How long the attempt took, of a job that is done; how long it did nothing, of one that hangs
        [s].
    progress
        How far a job is that goes on: of a training epoch, epochs, train_loss, validation_loss.
    result
        Of a job that is done.
    """

    kind: Kind
    job: Job
    settled: int
    total: int
    message: str = ""
    log: Path | None = None
    device: str = ""
    seconds: float | None = None
    progress: Mapping[str, JsonValue] = field(default_factory=dict)
    result: Result | None = None

    @property
    def headline(self) -> str:
        """What came of a job that is done, in few words."""
        task: Task[Any, Any] = self.job.task  # its result is of its own type
        return "" if self.result is None else task.headline(self.result)


@dataclass(frozen=True)
class Summary:
    """How a run ended: numbers of jobs. Those known before are not counted."""

    done: int
    failed: int
    blocked: int
    seconds: float

    def __add__(self, later: Summary) -> Summary:
        """Of two runs, one after the other."""
        return Summary(
            self.done + later.done,
            self.failed + later.failed,
            self.blocked + later.blocked,
            self.seconds + later.seconds,
        )


Listener = Callable[[Event], None]
