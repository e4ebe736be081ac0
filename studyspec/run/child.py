"""The child: does the jobs that its worker hands it, with torch imported once.

Started by the worker, talks with it as `pipe.py` says, and dies with it. What a job prints goes to
the attempt's log.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from studyspec.errors import OutOfMemory, StudySpecError
from studyspec.learn.devices import device_name, peak_memory_bytes, reset_peak_memory
from studyspec.plan.jobs import Job, Stage
from studyspec.run import claims, memory
from studyspec.run.attempts import Attempt, Outcome, write_outcome
from studyspec.run.claims import Claim
from studyspec.run.job import Bench
from studyspec.run.pipe import LAST, WITHDRAWN
from studyspec.run.process import die_with
from studyspec.run.queue import read_job
from studyspec.store.layout import Results

PATIENCE_S = 5.0
"""A training that is asked to stop goes on to the end of its epoch for this long at most [s]."""
MEMORY_HINT = "use fewer --workers, or a machine with more memory"


class Preempted(BaseException):
    """The job was asked to stop."""


class Child:
    """Makes one attempt after the other and writes its record.

    `spoiled` is set once this process should do no more jobs: memory ran out, or a bug may have
    left anything behind.
    """

    def __init__(self, results: Results, device: str) -> None:
        self._results = results
        self._bench = Bench(results, device)
        self._working: Stage | None = None
        self._asked = False
        self.spoiled = False

    def stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Stop the job under way, a training at the end of its epoch if that is soon."""
        self._asked = True
        if self._working == "train":
            signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)
        else:
            self.give_up()

    def give_up(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Stop the job under way now; a record that is being written is not disturbed."""
        if self._working:
            self._working = None
            raise Preempted

    def attempt(self, claim: Claim, device_name: str) -> str:
        """Do one job, write its record, return its status; no record if nobody wants it now."""
        try:
            job = read_job(self._results, claim.key)
        except FileNotFoundError:
            return WITHDRAWN
        memory.reset_peak()
        reset_peak_memory(claim.device)
        outcome = self._outcome(job)
        self._working = None
        peak = peak_memory_bytes(claim.device) or memory.peak_bytes()
        outcome = replace(outcome, peak_memory_bytes=peak)
        write_outcome(self._results, Attempt.of(claim, job, device_name), outcome)
        if outcome.status == "done":
            self._results.checkpoint(job.key).unlink(missing_ok=True)
        return outcome.status

    def _outcome(self, job: Job) -> Outcome:
        try:
            if not self._asked:
                self._working = job.stage
                result = self._bench.execute(job, lambda values: self._tell(job.key, values))
                self._working = None
                return Outcome("done", result)
        except Preempted:
            pass
        except (MemoryError, OutOfMemory) as problem:
            self.spoiled = True
            return Outcome("out_of_memory", error=_error(problem, MEMORY_HINT))
        except StudySpecError as problem:
            return Outcome("error", error=_error(problem))
        except Exception as problem:
            self.spoiled = True
            traceback.print_exc()
            return Outcome("error", error=_error(problem))
        return Outcome("preempted")

    def _tell(self, key: str, values: Mapping[str, Any]) -> None:
        path = claims.progress_path(self._results, key)
        half = path.with_name(f".{path.name}")
        half.write_text(json.dumps(values))
        half.rename(path)
        if self._asked:
            self.give_up()


def _error(problem: BaseException, hint: str = "") -> dict[str, str]:
    if isinstance(problem, StudySpecError):
        what = f"{problem.where}: {problem.what}" if problem.where else problem.what
        return {"kind": type(problem).__name__, "message": what, "hint": problem.hint or hint}
    text = str(problem) or type(problem).__name__
    return {"kind": type(problem).__name__, "message": text.splitlines()[0], "hint": hint}


def _own_stdout() -> TextIO:
    """Keep stdout for the worker; whatever prints to it from now on goes to stderr."""
    kept = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return kept


def _log_to(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)


def main() -> None:
    """Make the attempts that stdin names, until it ends."""
    folder, device, parent = sys.argv[1:]
    die_with(int(parent))
    results = Results(Path(folder))
    answers = _own_stdout()
    child = Child(results, device)
    signal.signal(signal.SIGTERM, child.stop)
    signal.signal(signal.SIGALRM, child.give_up)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    name = device_name(device)
    answers.write(f"{name}\n")
    for line in sys.stdin:
        claim = Claim.from_json(json.loads(line))
        _log_to(results.log(claim.key, claim.attempt))
        began = time.monotonic()
        status = child.attempt(claim, name)
        print(f"{status} after {time.monotonic() - began:.1f} s", flush=True)
        answers.write(f"{status} {LAST if child.spoiled else ''}\n")
        if child.spoiled:
            break


if __name__ == "__main__":
    main()
