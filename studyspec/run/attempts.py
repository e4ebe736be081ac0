"""Attempts: one try at one job, and the record that it leaves, whoever has to write it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from studyspec.errors import RunError
from studyspec.jobs.stages import Job
from studyspec.jobs.task import Result
from studyspec.run.leases import SILENCE_S, Lease
from studyspec.run.queue import read_job
from studyspec.store.folder import Results
from studyspec.store.record_file import Circumstances, Failure, Status, new_record, write_record


@dataclass(frozen=True)
class Attempt:
    """A try that has begun.

    Attributes
    ----------
    job
        What is tried.
    name
        The attempt's own name (uuid).
    device, device_name
        "cpu", "cuda:0", ... and what its maker calls it.
    began
        When [s since 1970].
    """

    job: Job
    name: str
    device: str
    device_name: str
    began: float

    @classmethod
    def of(cls, lease: Lease, job: Job, device_name: str = "") -> Attempt:
        """The attempt that a lease is for."""
        return cls(job, lease.attempt, lease.device, device_name, lease.since)


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: its status, and a result or why it failed."""

    status: Status
    result: Result | None = None
    error: Failure | None = None
    peak_memory_bytes: int | None = None


def write_outcome(results: Results, attempt: Attempt, outcome: Outcome) -> None:
    """Write the record of an attempt that ends now."""
    log, now = results.log(attempt.job.key, attempt.name), results.machine.now()
    circumstances = Circumstances(
        attempt.name,
        datetime.fromtimestamp(attempt.began, UTC),
        round(now - attempt.began, 3),
        attempt.device,
        attempt.device_name,
        outcome.peak_memory_bytes,
        str(log.relative_to(results.folder)) if results.machine.exists(log) else None,
    )
    ended = outcome.status, circumstances, outcome.result, outcome.error
    record = new_record(attempt.job, *ended, machine=results.machine)
    write_record(results, record)


def has_record(results: Results, lease: Lease) -> bool:
    """Whether the attempt of a lease has left a record."""
    return results.machine.exists(results.record(lease.key, lease.attempt))


def write_lost(results: Results, lease: Lease) -> None:
    """Write the record of an attempt whose worker has died, unless it had ended before."""
    if has_record(results, lease):
        return
    try:
        job = read_job(results, lease.key)
    except (FileNotFoundError, RunError):  # withdrawn, or another version's: nobody here waits
        return
    error = Failure(
        kind="Lost",
        message=f"its worker on {lease.owner.host} ended, or said nothing for {SILENCE_S:g} s",
        hint="was the machine switched off, out of memory, or the worker stopped?",
    )
    write_outcome(results, Attempt.of(lease, job), Outcome("lost", error=error))
