"""The workforce: sees to it that enough workers live, also those that a dead runner had started.

Each worker has a file with its engine's handle, so that the next runner finds it. Knows no jobs.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError

from studyspec.errors import RunError
from studyspec.files import write
from studyspec.machine import Machine
from studyspec.plugins.contracts import Engine, Resources
from studyspec.run.process import Process
from studyspec.store.folder import Results

STOP_S, END_S = 30.0, 5.0
"""Workers get this long to save their checkpoints, and after that to end at all [s]."""
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

    def orphaned(self, machine: Machine) -> bool:
        """Whether its runner has ended."""
        return self.runner.here(machine) and not self.runner.alive(machine)

    def gone(self, machine: Machine) -> bool:
        """Whether it was its own runner, in one process, and that has ended."""
        return self.handle == self.runner.handle and self.orphaned(machine)


AS_JSON = TypeAdapter(Hired)


class Workforce:
    """The workers of one results folder, seen from one runner."""

    def __init__(self, results: Results, engine: Engine, devices: Sequence[str]) -> None:
        self._results, self._engine, self._devices = results, engine, devices
        self._machine = results.machine
        self._me = Process.current(self._machine)
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

    def dismiss(self, patience_s: float = STOP_S) -> tuple[str, ...]:
        """Stop the own workers, and wait until they have; those that nothing ends.

        A Ctrl-C meanwhile ends the waiting: they are ended at once.
        """
        own = [worker for worker in self._living(asking=False) if worker.runner == self._me]
        handles = [worker.handle for worker in own]
        with suppress(KeyboardInterrupt):
            self._engine.cancel(handles)
            self._wait(handles, patience_s)
        if left := self._engine.alive(handles):
            self._engine.cancel(left)
            self._wait([*left], END_S)
        alive = {worker.handle for worker in self._living(asking=False)}
        return tuple(f"{one.place} {one.handle}" for one in own if one.handle in alive)

    def end(self, owner: Process) -> None:
        """End the worker that is this process, if there is one: it has long been silent."""
        handles = [worker.handle for worker in self._living() if worker.handle == owner.handle]
        for _ in range(2 if owner.here(self._machine) and owner != self._me else 0):
            self._engine.cancel(handles)

    def part(self, patience_s: float) -> None:
        """Wait for the own workers to end by themselves, unless they are busy for another run."""
        handles = [worker.handle for worker in self._living() if worker.runner == self._me]
        self._wait(handles, patience_s)
        self._living(asking=False)

    def _wait(self, handles: Sequence[str], patience_s: float) -> None:
        end = self._machine.monotonic() + patience_s
        while self._engine.alive(handles) and self._machine.monotonic() < end:
            self._machine.sleep(0.02)

    def _living(self, asking: bool = True) -> list[Hired]:
        """All live workers of this engine; those of dead runners are taken over.

        `asking`: the engine is asked why others ended.
        """
        hired = self._read()
        alive = self._engine.alive([worker.handle for worker in hired])
        living = []
        for worker in hired:
            if worker.handle not in alive:
                self._machine.remove(self._results.worker(worker.name))
                if asking and worker.runner == self._me:
                    self._last_death = self._engine.why(worker.handle)
                    self._bemoan(worker.device)
                continue
            if worker.orphaned(self._machine):
                worker = replace(worker, runner=self._me)
                self._write(worker)
            living.append(worker)
        return living

    def _read(self) -> list[Hired]:
        found = []
        for worker in hired(self._results):
            if worker.gone(self._machine):
                self._machine.remove(self._results.worker(worker.name))
            elif worker.place == self._engine.place:
                found.append(worker)
        return found

    def _write(self, worker: Hired) -> None:
        path = self._results.worker(worker.name)
        write(path, AS_JSON.dump_json(worker), durable=False, machine=self._machine)


def hired(results: Results) -> list[Hired]:
    """The workers that have been noted in a results folder, of all engines, alive or not."""
    found = []
    for name in sorted(results.machine.names(results.workers)):
        if not name.startswith(".") and name.endswith(".json"):
            with suppress(FileNotFoundError, ValidationError):
                content = results.machine.read(results.workers / name)
                found.append(AS_JSON.validate_json(content))
    return found
