"""The worker: a light supervisor that leases ready jobs and lets its child do them.

Owns the time limit, the heartbeat and its child's death; never imports torch. Ends when every
published job has ended, on SIGTERM, and, if it is bound to runners, soon after the last of them.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Literal, Protocol

from studyspec.errors import StudySpecError
from studyspec.run import leases, runners
from studyspec.run.allotment import Allotment
from studyspec.run.attempts import Attempt, Outcome, has_record, write_outcome
from studyspec.run.board import Ticket
from studyspec.run.leases import Lease
from studyspec.run.pipe import LAST, ChildProcess
from studyspec.run.process import Process, ending
from studyspec.run.queue import Queue, read_job
from studyspec.store.folder import Results
from studyspec.store.record_file import Failure, Status
from studyspec.store.records import RecordIndex

Verdict = Literal["killed", "preempted", "time_limit", "fruitless", "taken", "hung"]
HOW: Mapping[Verdict, Status] = {
    "killed": "killed",
    "hung": "killed",
    "time_limit": "time_limit",
    "fruitless": "time_limit",
    "preempted": "preempted",
}
POLL_S = 0.1
IDLE_S = 0.5
"""A worker without any job left to wait for ends after this long [s]."""
DESERTED_S = 5.0
"""After this long without work a worker looks whether runners and other workers are alive [s]."""
GRACE_S = 20.0
"""A child that was asked to stop is killed after this long [s]."""
HUNG_S = 60.0
"""That a child has not computed for this long is told [s]."""
HANG_LIMIT_S = 600.0
"""A child that has not computed for this long is killed [s]."""
ORPHANED = 2
"""A bound worker ends when it has missed runners at so many heartbeats in a row."""
BROKEN = 3
"""Exit status of a worker that cannot do what is published."""
OUT_OF_TIME = 75
"""Exit status of a worker whose own time is over, with jobs left to do."""
BOUND = "bound"
"""Third argument of a worker that ends with the last runner."""


class Child(Protocol):
    """Who does the jobs; `pipe.ChildProcess` says what each method does."""

    def ask(self, lease: Lease) -> None: ...  # noqa: D102
    def answer(self, seconds: float) -> str | None: ...  # noqa: D102
    def worked(self) -> str: ...  # noqa: D102
    def pause(self) -> None: ...  # noqa: D102
    def stop(self) -> None: ...  # noqa: D102
    def end(self) -> int: ...  # noqa: D102


class Worker:
    """Does the published jobs of one results folder on one device, one at a time.

    Parameters
    ----------
    bound
        Whether to end when no runner is left.
    allotment
        How long it may last; default: as long as there is something to do.
    child
        How a child is made.
    """

    def __init__(
        self,
        results: Results,
        device: str,
        bound: bool = False,
        allotment: Allotment | None = None,
        child: Callable[[Results, str], Child] = ChildProcess,
    ) -> None:
        self._results, self._device, self._bound = results, device, bound
        self._allotment = allotment
        self._machine = results.machine
        self._index = RecordIndex(results)
        self._queue = Queue(results, self._index)
        self._me = Process.current(self._machine)
        self._new_child = child
        self._child: Child | None = None
        self._looked = self._machine.monotonic()
        self._missed = 0
        self._network: str | None = None
        self._attempts = 0
        self._device_name = ""
        self._stopping = self._timed_out = self._paused = False

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Finish nothing more: the job under way saves a checkpoint and is given back."""
        self._stopping = True

    def run(self) -> int:
        """Work until there is nothing left; the exit status."""
        busy_at = self._machine.monotonic()
        try:
            while not self._stopping:
                self._queue.refresh()
                if next(self._queue.board.ready(), None) and not self._ready_child():
                    return 0 if self._stopping else BROKEN
                taken = self._queue.take(self._me, self._device, self._network, self._fits)
                if taken is not None:
                    try:
                        self._attend(*taken)
                    finally:
                        leases.release(self._results, taken[0])
                    busy_at = self._machine.monotonic()
                    continue
                if self._out_of_time():
                    return OUT_OF_TIME
                self._look_for_runners()
                if self._superfluous(self._machine.monotonic() - busy_at):
                    break
                self._machine.sleep(POLL_S)
        finally:
            self._end_child()
        return OUT_OF_TIME if self._timed_out else 0

    def _fits(self, ticket: Ticket) -> bool:
        """Whether there is time for a job."""
        if self._allotment is None or self._fresh(self._machine.monotonic()):
            return True
        return self._allotment.fits(ticket.stage, self._index)

    def _fresh(self, now: float, attempts: int = 0) -> bool:
        """Whether a job that begins now has about all the time that a worker can give to it."""
        return self._attempts == attempts and (
            self._allotment is not None and self._allotment.early(now)
        )

    def _out_of_time(self) -> bool:
        """Whether nothing that is ready fits into the time that is left, or none is left."""
        if self._allotment is None or not self._queue.board.unfinished():
            return False
        if self._allotment.stopping(self._machine.monotonic()):
            return True
        held = leases.held(self._results)
        ready = [ticket for ticket in self._queue.board.ready() if ticket.key not in held]
        return bool(ready) and not any(self._fits(ticket) for ticket in ready)

    def _superfluous(self, idle_s: float) -> bool:
        """Whether nothing is left, or nobody who could finish what this worker waits for."""
        if not self._queue.board.unfinished():
            return idle_s > IDLE_S
        if idle_s < DESERTED_S or runners.any_alive(self._results):
            return False
        return not leases.live(self._results)

    def _look_for_runners(self) -> None:
        """Stop if this worker is bound and no runner was there at the last looks."""
        now = self._machine.monotonic()
        if not self._bound or now - self._looked < leases.BEAT_S:
            return
        self._looked = now
        self._missed = 0 if runners.any_alive(self._results) else self._missed + 1
        if self._missed >= ORPHANED:
            self.stop()

    def _attend(self, lease: Lease, ticket: Ticket) -> None:
        """Let the child make the attempt, and see to it that it ends with a record.

        Raises
        ------
        RunError
            If the job is of another version: a worker of that version has to do it.
        """
        assert self._child is not None
        try:
            job = read_job(self._results, lease.key)
        except FileNotFoundError:
            return  # withdrawn meanwhile
        self._network = ticket.network or ticket.key
        self._attempts += 1
        self._child.ask(lease)
        answer, verdict = self._watch(lease, ticket)
        if self._paused and answer.startswith("preempted"):
            self._stopping = self._timed_out = True
        if not answer or answer.endswith(LAST):
            status = self._end_child()
            if not answer and verdict != "taken" and not has_record(self._results, lease):
                attempt = Attempt.of(lease, job, self._device_name)
                self._bury(attempt, verdict, status, ticket)

    def _watch(self, lease: Lease, ticket: Ticket) -> tuple[str, Verdict]:
        """Wait for the child's answer; if there is none (empty), why the attempt has ended."""
        assert self._child is not None
        start = beat = computed = self._machine.monotonic()
        asked: float | None = None
        self._paused = False
        saved = self._saved(lease.key)
        worked, told = "", False
        while True:
            answer = self._child.answer(POLL_S)
            if answer is not None:
                return answer, "preempted" if asked else "killed"
            self._look_for_runners()
            now = self._machine.monotonic()
            if now - beat > leases.BEAT_S:
                beat = now
                if not leases.beat(self._results, lease):
                    return "", "taken"
                if (works := self._child.worked()) != worked or not works:
                    worked, computed, told = works, now, False
                elif now - computed > HUNG_S and not told:
                    leases.tell(self._results, lease, now - computed)
                    told = True
            if now - computed > HANG_LIMIT_S:
                return "", "hung"
            if ticket.time_limit_s is not None and now - start > ticket.time_limit_s:
                return "", "time_limit"
            if self._allotment is not None:
                if self._allotment.pausing(now) and not self._paused:
                    self._paused = True
                    self._child.pause()
                if self._allotment.stopping(now) and not self._stopping:
                    if self._fresh(start, 1) and self._saved(lease.key) == saved:
                        return "", "fruitless"
                    self._stopping = self._timed_out = True
            if self._stopping and asked is None:
                asked = now
                self._child.stop()
            if asked is not None and now - asked > GRACE_S:
                return "", "preempted"

    def _saved(self, key: str) -> str:
        """What tells a job's checkpoint from a later one."""
        return self._machine.stamp(self._results.checkpoint(key))

    def _bury(self, attempt: Attempt, verdict: Verdict, status: int, ticket: Ticket) -> None:
        """Write the record of an attempt whose process ended without one."""
        error = self._failure(attempt, verdict, status, ticket)
        if error is not None:
            log = self._results.log(attempt.job.key, attempt.name)
            self._machine.append(log, f"{error.message}\n".encode())
        write_outcome(self._results, attempt, Outcome(HOW[verdict], error=error))

    def _failure(
        self, attempt: Attempt, verdict: Verdict, status: int, ticket: Ticket
    ) -> Failure | None:
        """What the record says of an attempt that failed; None if it was preempted."""
        if verdict == "time_limit":
            return Failure(
                kind="TimeLimit",
                message=f"it took longer than {ticket.time_limit_s:g} s",
                hint="raise --time-limit and run with --retry-failed",
            )
        if verdict == "fruitless" and self._allotment is not None:
            what = "an epoch and its checkpoint" if attempt.job.stage == "train" else "it"
            return Failure(
                kind="TimeLimit",
                message=f"{self._allotment.seconds:g} s, the time of a worker, end before {what}",
                hint="raise `time` in [engines.slurm] and run with --retry-failed",
            )
        if verdict == "killed":
            return Failure(
                kind="Killed",
                message=f"its process {ending(status)}",
                hint="the machine may have run out of memory: use fewer --workers",
            )
        if verdict == "hung":
            return Failure(
                kind="Hung",
                message=f"its process did nothing for {HANG_LIMIT_S:g} s, and was killed",
                hint="was it stopped by a signal, or does it wait for a disk?",
            )
        return None

    def _ready_child(self) -> bool:
        """See to it that there is a child that answers; False if it cannot be started."""
        if self._child is not None:
            return True
        self._child = self._new_child(self._results, self._device)
        answer = None
        while answer is None and not self._stopping:
            answer = self._child.answer(POLL_S)
        if not answer:
            self._end_child()
        self._device_name = answer or ""
        return bool(answer)

    def _end_child(self) -> int:
        if self._child is None:
            return 0
        child, self._child = self._child, None
        return child.end()


def work(
    results: Results, device: str = "cpu", bound: bool = False, allotment: Allotment | None = None
) -> int:
    """Do the published jobs of a results folder until none is left; the exit status.

    With an allotment, no longer than it lasts: then the exit status is `OUT_OF_TIME`.
    """
    worker = Worker(results, device, bound, allotment)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, worker.stop)
    try:
        return worker.run()
    except StudySpecError as error:
        print(error.text, file=sys.stderr)
        return BROKEN


if __name__ == "__main__":
    sys.exit(work(Results(Path(sys.argv[1])), sys.argv[2], BOUND in sys.argv[3:]))
