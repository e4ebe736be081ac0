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
from studyspec.store.records import new_record, write_record


@dataclass(frozen=True)
class Attempt:
    """A try that has begun: its own name, its device, and when [UTC; s of a steady clock]."""

    job: Job
    name: str
    device: str
    began_at: datetime
    began: float

    @classmethod
    def begin(cls, job: Job, name: str, device: str) -> Attempt:
        """An attempt that begins now."""
        return cls(job, name, device, datetime.now(UTC), time.monotonic())

    def record(
        self,
        status: str,
        result: Mapping[str, Any] | None,
        error: Mapping[str, str] | None,
        peak_memory_bytes: int | None,
    ) -> dict[str, Any]:
        return new_record(
            key=self.job.key,
            uuid=self.name,
            stage=self.job.stage,
            status=status,
            result=result,
            error=error,
            log=None,
        )


def write_attempt(results, attempt, status, result, error, peak):
    write_record(results, attempt.record(status, result, error, peak))


def has_record(results, claim) -> bool:
    return results.record(claim.key, claim.attempt).exists()


def write_lost(results, claim) -> None:
    if has_record(results, claim):
        return
    try:
        job = read_job(results, claim.key)
    except FileNotFoundError:
        return
    write_record(
        results,
        new_record(
            key=claim.key,
            uuid=claim.attempt,
            stage=job.stage,
            status="lost",
            result=None,
            error={"kind": "Lost", "message": "lost"},
            log=None,
        ),
    )


def done_result(results, status):
    from studyspec.store.records import read_record

    return read_record(status.path)["result"] or {}
