"""States: which jobs are known, and why the others are not. Pure; is told what the store knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from studyspec.jobs.stages import Job

State = Literal["new", "known", "stale", "failed", "rebuild", "unfetched"]


@dataclass(frozen=True)
class Known:
    """What the records say of one key."""

    done: bool
    failure: str = ""


@dataclass(frozen=True)
class PlannedJob:
    """A job, its state, and the reason in words (empty for known and new jobs)."""

    job: Job
    state: State
    reason: str = ""

    @property
    def to_do(self) -> bool:
        """Whether a run would do this job."""
        return self.state in ("new", "stale", "rebuild")


def judge(
    jobs: Sequence[Job],
    known: Mapping[str, Known],
    present: Callable[[Job], bool],
    stale: Callable[[Job], str],
) -> tuple[PlannedJob, ...]:
    """The state of every job.

    Parameters
    ----------
    jobs
        All jobs, needed ones before those that need them.
    known
        What the records say, by key.
    present
        Whether the artifact of a done job is still there (asked only where another job needs it).
    stale
        Why a job differs from its counterpart in the previous plan; empty if there is none.
    """
    unfetched = {job.key for job in jobs if job.task.unfetched}
    for job in jobs:
        if any(need in unfetched for need in job.needs):
            unfetched.add(job.key)
    wanted = _wanted(jobs, known, present)
    return tuple(_judge_one(job, known, unfetched, wanted, stale) for job in jobs)


def _judge_one(
    job: Job,
    known: Mapping[str, Known],
    unfetched: set[str],
    wanted: set[str],
    stale: Callable[[Job], str],
) -> PlannedJob:
    if job.key in unfetched:
        return PlannedJob(job, "unfetched", "files not fetched yet")
    record = known.get(job.key)
    if record is not None and record.done:
        if job.key in wanted:
            return PlannedJob(job, "rebuild", f"{job.task.noun} missing")
        return PlannedJob(job, "known")
    if record is not None and record.failure:
        return PlannedJob(job, "failed", record.failure)
    reason = stale(job)
    return PlannedJob(job, "stale", reason) if reason else PlannedJob(job, "new")


def _wanted(
    jobs: Sequence[Job], known: Mapping[str, Known], present: Callable[[Job], bool]
) -> set[str]:
    """Keys of done jobs whose artifact is missing though a job to be done needs it."""
    done = {key for key, record in known.items() if record.done}
    wanted: set[str] = set()
    needed: set[str] = set()
    for job in reversed(jobs):
        if job.key in done:
            if job.key not in needed or present(job):
                continue
            wanted.add(job.key)
        needed.update(job.needs)
    return wanted
