"""Attempts: one try at one job, and the record that it leaves, whoever has to write it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from studyspec.plan.jobs import Job
from studyspec.run.claims import Claim
from studyspec.run.queue import read_job
from studyspec.store.layout import Results
from studyspec.store.records import Circumstances, Status, new_record, write_record


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
    def of(cls, claim: Claim, job: Job, device_name: str = "") -> Attempt:
        """The attempt that a claim is for."""
        return cls(job, claim.attempt, claim.device, device_name, claim.since)


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: its status, and a result or an error (kind, message, hint)."""

    status: Status
    result: Mapping[str, Any] | None = None
    error: Mapping[str, str] | None = None
    peak_memory_bytes: int | None = None


def write_outcome(results: Results, attempt: Attempt, outcome: Outcome) -> None:
    """Write the record of an attempt that ends now."""
    log = results.log(attempt.job.key, attempt.name)
    circumstances = Circumstances(
        attempt.name,
        datetime.fromtimestamp(attempt.began, UTC),
        round(time.time() - attempt.began, 3),
        attempt.device,
        attempt.device_name,
        outcome.peak_memory_bytes,
        str(log.relative_to(results.folder)) if log.exists() else None,
    )
    record = new_record(attempt.job, outcome.status, circumstances, outcome.result, outcome.error)
    write_record(results, record)


def has_record(results: Results, claim: Claim) -> bool:
    """Whether the attempt of a claim has left a record."""
    return results.record(claim.key, claim.attempt).exists()


def write_lost(results: Results, claim: Claim) -> None:
    """Write the record of an attempt whose worker has died, unless it had ended before."""
    if has_record(results, claim):
        return
    try:
        job = read_job(results, claim.key)
    except FileNotFoundError:  # withdrawn: nobody waits for it
        return
    error = {
        "kind": "Lost",
        "message": f"its worker on {claim.owner.host} ended without a word",
        "hint": "was the machine switched off, or out of memory?",
    }
    write_outcome(results, Attempt.of(claim, job), Outcome("lost", error=error))
