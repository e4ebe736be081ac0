"""The child: does the jobs that its worker hands it, with torch imported once.

A line of JSON on stdin is an attempt to make, a line on stdout tells its end. What a job prints
goes to the attempt's log. Started by `worker.py`; dies with it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from studyspec.errors import OutOfMemory, StudySpecError
from studyspec.run import claims, memory
from studyspec.run.attempts import Attempt, write_attempt
from studyspec.run.job import Bench
from studyspec.run.process import die_with
from studyspec.run.queue import read_job
from studyspec.store.layout import Results

READY = "ready"
WITHDRAWN = "withdrawn"
MEMORY_HINT = "set training.micro_batch to a smaller number of samples, e.g. half of what it is"


class Preempted(BaseException):
    """The job was asked to stop; its checkpoint is saved."""


class Child:
    """Makes one attempt after the other and writes its record."""

    def __init__(self, results: Results, device: str) -> None:
        self._results, self._device = results, device
        self._bench = Bench(results, device)
        self._working = False
        self._asked = False

    def stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Stop the job under way; what is being written is written to its end."""
        self._asked = True
        if self._working:
            self._working = False
            raise Preempted

    def attempt(self, key: str, name: str) -> str:
        """Do one job, write its record, return its status; no record if nobody wants it now."""
        try:
            job = read_job(self._results, key)
        except FileNotFoundError:
            return WITHDRAWN
        memory.reset_peak()
        attempt = Attempt.begin(job, name, self._device)
        status, result, error = "preempted", None, None
        try:
            self._working = not self._asked
            if self._working:
                result = self._bench.execute(job, lambda values: self._tell(key, values))
                self._working = False
                status = "done"
        except Preempted:
            result = None
        except (MemoryError, OutOfMemory) as problem:
            status, error = "out_of_memory", _error(problem, MEMORY_HINT)
        except Exception as problem:
            traceback.print_exc()
            status, error = "error", _error(problem)
        self._working = False
        write_attempt(self._results, attempt, status, result, error, memory.peak_bytes())
        if status == "done":
            self._results.checkpoint(key).unlink(missing_ok=True)
        return status

    def _tell(self, key: str, values: Mapping[str, Any]) -> None:
        path = claims.progress_path(self._results, key)
        half = path.with_name(f".{path.name}")
        half.write_text(json.dumps(values))
        half.rename(path)


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
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers.write(f"{READY}\n")
    for line in sys.stdin:
        asked = json.loads(line)
        _log_to(results.log(asked["key"], asked["attempt"]))
        began = time.monotonic()
        status = child.attempt(asked["key"], asked["attempt"])
        print(f"{status} after {time.monotonic() - began:.1f} s", flush=True)
        answers.write(f"{status}\n")


if __name__ == "__main__":
    main()
