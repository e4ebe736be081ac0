"""The workforce: sees to it that enough workers live, also those that a dead runner had started.

Each worker has a file with its engine's handle, so that the next runner finds it. Knows no jobs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
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
"""A run ends when workers die this often for each device with no job ended between."""


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
        self._deaths = 0
        self._last_death = ""

    def keep(self, jobs: int) -> None:
        """See to it that as many workers live as there are devices, or jobs if these are fewer.

        Raises
        ------
        RunError
            If workers die again and again.
        """
        have = Counter(worker.device for worker in self._living())
        wanted = Counter(self._devices[:jobs])
        if self._deaths >= FAIR_TRIES * len(self._devices):
            raise RunError(
                f"no worker lives long enough to do a job: the last one {self._last_death}",
                where=str(self._results.workers_log),
                hint="the log says why; `studyspec run` goes on from here",
            )
        for device, number in (wanted - have).items():
            resources = Resources(self._results.folder, device)
            for handle in self._engine.start(number, resources):
                self._write(Hired(self._engine.place, handle, device, self._me))

    def tend(self) -> None:
        """Let an engine work that has no processes."""
        self._engine.tend()

    def praise(self) -> None:
        """A job has ended: earlier deaths of workers are forgotten."""
        self._deaths = 0

    def dismiss(self, patience_s: float = STOP_S) -> tuple[str, ...]:
        """Stop the own workers, and wait until they have; those that nothing ends.

        A Ctrl-C meanwhile ends the waiting: they are ended at once.
        """
        own = [worker for worker in self._living() if worker.runner == self._me]
        handles = [worker.handle for worker in own]
        with suppress(KeyboardInterrupt):
            self._engine.cancel(handles)
            self._wait(handles, patience_s)
        if left := self._engine.alive(handles):
            self._engine.cancel(left)
            self._wait([*left], END_S)
        alive = {worker.handle for worker in self._living()}
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
        self._living()

    def _wait(self, handles: Sequence[str], patience_s: float) -> None:
        end = self._machine.monotonic() + patience_s
        while self._engine.alive(handles) and self._machine.monotonic() < end:
            self._machine.sleep(0.02)

    def _living(self) -> list[Hired]:
        """All live workers of this engine; those of dead runners are taken over."""
        hired = self._read()
        alive = self._engine.alive([worker.handle for worker in hired])
        living = []
        for worker in hired:
            if worker.handle not in alive:
                self._machine.remove(self._results.worker(worker.name))
                if worker.runner == self._me:
                    self._deaths += 1
                    self._last_death = self._engine.why(worker.handle)
                continue
            if worker.orphaned(self._machine):
                worker = replace(worker, runner=self._me)
                self._write(worker)
            living.append(worker)
        return living

    def _read(self) -> list[Hired]:
        found = []
        for name in sorted(self._machine.names(self._results.workers)):
            if name.startswith(".") or not name.endswith(".json"):
                continue
            path = self._results.workers / name
            with suppress(FileNotFoundError, ValidationError):
                worker = AS_JSON.validate_json(self._machine.read(path))
                if worker.gone(self._machine):
                    self._machine.remove(path)
                elif worker.place == self._engine.place:
                    found.append(worker)
        return found

    def _write(self, worker: Hired) -> None:
        path = self._results.worker(worker.name)
        write(path, AS_JSON.dump_json(worker), durable=False, machine=self._machine)
