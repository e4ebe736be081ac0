"""The workforce: sees to it that enough workers live, also those that a dead runner had started.

Each worker has a file with its engine's handle, so that the next runner finds it. Knows no jobs.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError

from studyspec.errors import RunError
from studyspec.files import write
from studyspec.plugins.contracts import Engine, Resources
from studyspec.run.process import Process
from studyspec.store.folder import Results

STOP_S = 30.0
"""Workers that were asked to stop get this long to save their checkpoints [s]."""
FAIR_TRIES = 3
"""A device is set aside when workers die on it this often, for each that it shall have, with no job
ended between."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hired:
    """A worker: its engine's place and handle, its device, and the runner that answers for it."""

    place: str
    handle: str
    device: str
    runner: Process

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.place}-{self.handle}".replace(":", "-").replace("/", "-")

    @property
    def gone(self) -> bool:
        """Whether it was its own runner, in one process, and that has ended."""
        return self.handle == self.runner.handle and self.runner.here and not self.runner.alive


AS_JSON = TypeAdapter(Hired)


class Workforce:
    """The workers of one results folder, seen from one runner."""

    def __init__(self, results: Results, engine: Engine, devices: Sequence[str]) -> None:
        self._results, self._engine, self._devices = results, engine, devices
        self._me = Process.current()
        self._deaths: Counter[str] = Counter()
        self._last_death = ""

    def keep(self, jobs: int) -> None:
        """See to it that as many workers live as there are devices, or jobs if these are fewer.

        A device on which workers die again and again is set aside.

        Raises
        ------
        RunError
            If no device is left.
        """
        have = Counter(worker.device for worker in self._living())
        fit = [device for device in self._devices if not self._failing(device)]
        wanted = Counter(fit[:jobs])
        if not fit:
            raise RunError(
                f"no worker lives long enough to do a job: the last one {self._last_death}",
                where=str(self._results.workers_log),
                hint="the log says why; `studyspec run` goes on from here",
            )
        for device, number in (wanted - have).items():
            resources = Resources(self._results.folder, device)
            for handle in self._engine.start(number, resources):
                self._write(Hired(self._engine.place, handle, device, self._me))

    def _failing(self, device: str) -> bool:
        return self._deaths[device] >= FAIR_TRIES * self._devices.count(device)

    def _bemoan(self, device: str) -> None:
        self._deaths[device] += 1
        left = [other for other in self._devices if not self._failing(other)]
        if self._failing(device) and left:
            log.warning("%s is set aside: its last worker %s", device, self._last_death)

    def tend(self) -> None:
        """Let an engine work that has no processes."""
        self._engine.tend()

    def praise(self, devices: Iterable[str]) -> None:
        """On these a job has ended or come further: earlier deaths of workers are forgotten."""
        for device in devices:
            del self._deaths[device]

    def dismiss(self, patience_s: float = STOP_S) -> None:
        """Stop the own workers; wait until they have."""
        own = [worker for worker in self._living(asking=False) if worker.runner == self._me]
        handles = [worker.handle for worker in own]
        self._engine.cancel(handles)
        self._wait(handles, patience_s)
        self._living(asking=False)

    def part(self, patience_s: float) -> None:
        """Wait for the own workers to end by themselves, unless they are busy for another run."""
        handles = [worker.handle for worker in self._living() if worker.runner == self._me]
        self._wait(handles, patience_s)
        self._living(asking=False)

    def _wait(self, handles: Sequence[str], patience_s: float) -> None:
        end = time.monotonic() + patience_s
        while self._engine.alive(handles) and time.monotonic() < end:
            time.sleep(0.02)

    def _living(self, asking: bool = True) -> list[Hired]:
        """All live workers of this engine; those of dead runners are taken over.

        `asking`: the engine is asked why others ended.
        """
        hired = self._read()
        alive = self._engine.alive([worker.handle for worker in hired])
        living = []
        for worker in hired:
            if worker.handle not in alive:
                self._results.worker(worker.name).unlink(missing_ok=True)
                if asking and worker.runner == self._me:
                    self._last_death = self._engine.why(worker.handle)
                    self._bemoan(worker.device)
                continue
            if worker.runner.here and not worker.runner.alive:
                worker = replace(worker, runner=self._me)
                self._write(worker)
            living.append(worker)
        return living

    def _read(self) -> list[Hired]:
        found = []
        for worker in hired(self._results):
            if worker.gone:
                self._results.worker(worker.name).unlink(missing_ok=True)
            elif worker.place == self._engine.place:
                found.append(worker)
        return found

    def _write(self, worker: Hired) -> None:
        write(self._results.worker(worker.name), AS_JSON.dump_json(worker), durable=False)


def hired(results: Results) -> list[Hired]:
    """The workers that have been noted in a results folder, of all engines, alive or not."""
    found = []
    for path in sorted(results.workers.glob("[!.]*.json")):
        with suppress(FileNotFoundError, ValidationError):
            found.append(AS_JSON.validate_json(path.read_bytes()))
    return found
