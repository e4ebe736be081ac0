"""Events: what a run tells its caller while it goes on, and the summary at its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from studyspec.plan.jobs import Job

Kind = Literal["started", "progress", "done", "again", "failed", "blocked"]


@dataclass(frozen=True)
class Event:
    """What happened to a job.

    `again`: an attempt failed and the job will be tried anew. `values` are a training's progress
    (epoch, epochs, train_loss, validation_loss) or, for `done`, the record's result. `message` and
    `log` tell of a failure. `settled` of `total` jobs of the run have ended, blocked ones included.
    """

    kind: Kind
    job: Job
    settled: int
    total: int
    message: str = ""
    log: Path | None = None
    device: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Summary:
    """How a run ended: numbers of jobs. Those known before are not counted."""

    done: int
    failed: int
    blocked: int
    seconds: float


Listener = Callable[[Event], None]
