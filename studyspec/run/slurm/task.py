"""The task: what a node runs. It works if its node is as it has to be, and says why if not.

Started by the script of the engine; ends as the worker does, or starts itself anew in Slurm's queue
when its time is over and jobs are left.
"""

from __future__ import annotations

import signal
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from studyspec.run.slurm import commands
from studyspec.run.slurm.footing import differences
from studyspec.store.folder import Results

UNSEEN, REFUSED = 64, 65
"""Exit statuses: the results folder is not to be seen; the node has other versions."""
MARGIN_S = 30.0
"""A worker has stopped so long before Slurm kills it [s], or a tenth of its time."""
PATIENCE_S = 60.0
"""A task that Slurm starts anew waits for its end so long [s]."""


@dataclass(frozen=True)
class Told:
    """What a task is told: the results folder and its sign, and the worker's device and time."""

    results: str
    sign: str
    device: str
    seconds: float
    lead_s: float
    requeue: bool
    footing: str

    @property
    def text(self) -> str:
        """As JSON."""
        return AS_JSON.dump_json(self).decode()


AS_JSON = TypeAdapter(Told)


def sign(results: Results) -> str:
    """What tells a results folder from every other: made once, by whoever comes first."""
    path = results.run / "sign"
    path.parent.mkdir(parents=True, exist_ok=True)
    mine = uuid.uuid4().hex[:12]
    with suppress(FileExistsError), path.open("x") as file:
        file.write(mine)
    for _ in range(100):
        found = path.read_text()
        if found:
            return found
        time.sleep(0.05)  # another has made it, and not written yet
    return mine


def log(folder: Path, handle: str) -> Path:
    """The log of a task."""
    return folder / f"slurm-{handle}.log"


def main(text: str, handle: str) -> int:
    """Work, if this node is as the runner's machine; the exit status."""
    began = time.monotonic()
    told = AS_JSON.validate_json(text)
    results = Results(Path(told.results))
    if not _sees(results, told.sign):
        print(f"this node does not see the results folder {told.results}", file=sys.stderr)
        return UNSEEN
    others = differences(told.footing)
    if others:
        print(f"a node has {'; '.join(others)}", file=sys.stderr)
        return REFUSED
    from studyspec.run import worker
    from studyspec.run.allotment import Allotment

    margin_s = min(MARGIN_S, told.seconds / 10)
    allotment = Allotment(began, told.seconds, told.lead_s, margin_s)
    status = worker.work(results, told.device, allotment=allotment)
    if status != worker.OUT_OF_TIME:
        return status
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if told.requeue and commands.requeue(handle):
        time.sleep(PATIENCE_S)  # Slurm ends it before it starts it anew
    return 0


def _sees(results: Results, expected: str) -> bool:
    with suppress(OSError):
        return (results.run / "sign").read_text() == expected
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
