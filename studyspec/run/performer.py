"""The performer: makes attempts in the process that it is in, and writes their records.

Knows no signals and no other worker; torch is imported when the first one is made.
"""

from __future__ import annotations

import json
import traceback
from bdb import BdbQuit
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol, TextIO

from pydantic import JsonValue

from studyspec.errors import OutOfMemory, StudySpecError
from studyspec.files import write
from studyspec.jobs.stages import Job
from studyspec.jobs.task import Result
from studyspec.run import leases, memory
from studyspec.run.attempts import Attempt, Outcome, write_outcome
from studyspec.run.bench import Bench, OnProgress
from studyspec.run.leases import Lease
from studyspec.run.queue import read_job
from studyspec.store.folder import Results
from studyspec.store.record_file import Failure

WITHDRAWN, TAKEN = "withdrawn", "taken"
MEMORY_HINT = "use fewer --workers, or a machine with more memory"


class Doing(Protocol):
    """What does jobs: `bench.Bench`."""

    resumable: bool

    def execute(self, job: Job, on_progress: OnProgress) -> Result:
        """Do a job."""


class Preempted(BaseException):
    """The job was asked to stop."""


class Performer:
    """Makes one attempt after the other on one device.

    Attributes
    ----------
    device_name
        What the device's maker calls it.
    asked
        Set by who wants no more: the job under way stops when it tells its progress.
    pausing
        Set by who wants no training to go on beyond its epoch.
    spoiled
        Whether this process should do no more jobs: memory ran out, or a bug may have left anything
        behind.
    """

    def __init__(self, results: Results, device: str, bench: Doing | None = None) -> None:
        from studyspec.learn.devices import device_name

        self._results, self._bench = results, bench or Bench(results, device)
        self._working = False
        self.device_name = device_name(device)
        self.asked = self.pausing = self.spoiled = False

    @property
    def resumable(self) -> bool:
        """Whether a job is under way that saves a checkpoint when it tells its progress."""
        return self._working and self._bench.resumable

    def attempt(self, lease: Lease, log: TextIO) -> str:
        """Do a leased job and write its record, and a traceback to the log; the status.

        There is no record if nobody wants it now: the job was withdrawn, or the lease taken away.
        """
        from studyspec.learn.devices import peak_memory_bytes, reset_peak_memory

        try:
            job = read_job(self._results, lease.key)
        except FileNotFoundError:
            return WITHDRAWN
        began = self._results.machine.monotonic()
        memory.reset_peak()
        reset_peak_memory(lease.device)
        outcome = self._outcome(job, log)
        peak = peak_memory_bytes(lease.device) or memory.peak_bytes()
        outcome = replace(outcome, peak_memory_bytes=peak)
        if not leases.holds(self._results, lease):
            print("taken away: it was silent for too long", file=log, flush=True)
            return TAKEN
        write_outcome(self._results, Attempt.of(lease, job, self.device_name), outcome)
        if outcome.status == "done":
            self._results.machine.remove(self._results.checkpoint(job.key))
        seconds = self._results.machine.monotonic() - began
        print(f"{outcome.status} after {seconds:.1f} s", file=log, flush=True)
        return outcome.status

    def give_up(self) -> None:
        """Stop the job under way now; a record that is being written is not disturbed.

        Raises
        ------
        Preempted
            Through the job, if there is one.
        """
        if self._working:
            self._working = False
            raise Preempted

    def _outcome(self, job: Job, log: TextIO) -> Outcome:
        """Do a job, whatever may come of it."""
        try:
            self._working = True
            if not self.asked:
                result = self._bench.execute(job, lambda progress: self._tell(job.key, progress))
                self._working = False
                return Outcome("done", result)
        except (Preempted, KeyboardInterrupt, BdbQuit):
            return Outcome("preempted")
        except (MemoryError, OutOfMemory) as problem:
            self.spoiled = True
            return Outcome("out_of_memory", error=_failure(problem, MEMORY_HINT))
        except StudySpecError as problem:
            if problem.__cause__ is not None:
                traceback.print_exception(problem.__cause__, file=log)
            print(problem.text, file=log)
            return Outcome("error", error=_failure(problem))
        except (Exception, SystemExit) as problem:
            self.spoiled = True
            traceback.print_exception(problem, file=log)
            return Outcome("error", error=_failure(problem))
        finally:
            self._working = False
        return Outcome("preempted")

    def _tell(self, key: str, progress: Mapping[str, JsonValue]) -> None:
        path = leases.progress_path(self._results, key)
        write(path, json.dumps(progress), durable=False, machine=self._results.machine)
        if self.asked or (self.pausing and self.resumable):
            self.give_up()


def _failure(problem: BaseException, hint: str = "") -> Failure:
    kind = type(problem).__name__
    if isinstance(problem, StudySpecError):
        what = f"{problem.where}: {problem.what}" if problem.where else problem.what
        return Failure(kind=kind, message=what, hint=problem.hint or hint)
    return Failure(kind=kind, message=(str(problem) or kind).splitlines()[0], hint=hint)
