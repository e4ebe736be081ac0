"""The child: does the jobs that its worker hands it, with torch imported once.

Started by the worker, talks with it as `pipe.py` says, and dies with it. What a job prints goes to
the attempt's log.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TextIO

from studyspec.run.leases import AS_JSON
from studyspec.run.performer import Performer
from studyspec.run.pipe import LAST
from studyspec.run.process import die_with
from studyspec.store.folder import Results

PATIENCE_S = 5.0
"""A job that is asked to stop goes on to its next checkpoint for this long at most [s]."""


class Interruption:
    """Stops a performer when its worker's signals ask for it."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer

    def stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Stop the job under way, a training at the end of its epoch if that is soon."""
        self._performer.asked = True
        if self._performer.resumable:
            signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)
        else:
            self._performer.give_up()

    def pause(self, _signal: int, _frame: FrameType | None) -> None:
        """Stop a training at the end of its epoch, and let another job end."""
        self._performer.pausing = True

    def give_up(self, _signal: int, _frame: FrameType | None) -> None:
        """Stop the job under way now."""
        self._performer.give_up()


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
    performer = Performer(results, device)
    interruption = Interruption(performer)
    signal.signal(signal.SIGTERM, interruption.stop)
    signal.signal(signal.SIGUSR1, interruption.pause)
    signal.signal(signal.SIGALRM, interruption.give_up)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers.write(f"{performer.device_name}\n")
    for line in sys.stdin:
        lease = AS_JSON.validate_json(line)
        _log_to(results.log(lease.key, lease.attempt))
        status = performer.attempt(lease, sys.stdout)
        answers.write(f"{status} {LAST if performer.spoiled else ''}\n")
        if performer.spoiled:
            break


if __name__ == "__main__":
    main()
