"""The engine for a debugger: one job after the other in the runner's own process and main thread.

A `breakpoint()` in a task or a plug-in works, and so does stepping from the runner into it. What
jobs print goes where the runner's output goes. Scores are those of `local` to the last bit, as on a
CPU a job has one thread. No job is stopped for its time: `--time-limit` is refused.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable

from studyspec.errors import RunError
from studyspec.plugins.contracts import Engine, EngineKind, Resources
from studyspec.run import hardware, leases
from studyspec.run.process import Process
from studyspec.run.queue import Queue
from studyspec.store.folder import Results
from studyspec.store.records import RecordIndex


class InlineWorker:
    """Does the published jobs of one results folder when it is asked to, one at a time."""

    def __init__(self, resources: Resources, me: Process) -> None:
        from studyspec.run.performer import Performer

        self._results, self._device, self._me = Results(resources.results), resources.device, me
        self._queue = Queue(self._results, RecordIndex(self._results))
        self._performer = Performer(self._results, self._device)
        self._network: str | None = None

    @property
    def busy(self) -> bool:
        """Whether any published job is left to do."""
        self._queue.refresh()
        return self._queue.board.unfinished() > 0

    def work(self) -> None:
        """Do one ready job to its end, if there is one.

        Raises
        ------
        KeyboardInterrupt
            If there was one, or the debugger was left; the job is given back before.
        """
        from studyspec.learn.devices import one_thread

        self._queue.refresh()
        taken = self._queue.take(self._me, self._device, self._network)
        if taken is None:
            return
        lease, ticket = taken
        self._network = ticket.network or ticket.key
        path = self._results.log(lease.key, lease.attempt)
        path.parent.mkdir(parents=True, exist_ok=True)
        with leases.kept(self._results, lease), path.open("a") as log, one_thread(self._device):
            status = self._performer.attempt(lease, log)
        if status == "preempted":
            raise KeyboardInterrupt

    def end(self) -> None:
        """Give back what an interruption at a bad moment may have left leased."""
        for key in leases.held(self._results):
            lease = leases.read(self._results, key)
            if lease is not None and lease.owner == self._me:
                leases.release(self._results, lease)


class InlineEngine:
    """A worker that is no process of its own; its handle is that of this process."""

    def __init__(self) -> None:
        self._me = Process.current()
        self._worker: InlineWorker | None = None

    @property
    def place(self) -> str:
        """`inline@`, the machine and this process: no other can ask the worker for anything."""
        return f"inline@{socket.gethostname()}/{self._me.handle}"

    def start(self, n: int, resources: Resources) -> list[str]:
        """Be a worker from now on, whatever n is."""
        self._worker = InlineWorker(resources, self._me)
        return [self._me.handle]

    def alive(self, handles: Iterable[str]) -> frozenset[str]:
        """The handle of this process, as long as there is work."""
        working = self._worker is not None and self._worker.busy
        return frozenset(handle for handle in handles if working and handle == self._me.handle)

    def cancel(self, handles: Iterable[str]) -> None:
        """Work no more."""
        if self._worker is not None and self._me.handle in handles:
            self._worker.end()
            self._worker = None

    def why(self, handle: str) -> str:
        """Nothing that the runner, which is the worker, could not tell."""
        return "has nothing more to do"

    def tend(self) -> None:
        """Do one ready job; raises as `InlineWorker.work`."""
        if self._worker is not None:
            self._worker.work()


class Inline(EngineKind):
    """`studyspec run --on inline`."""

    name = "inline"
    limits_time = False

    def devices(self, workers: int | None = None) -> tuple[str, ...]:
        """The first GPU, else the CPU; raises RunError if more than one worker is asked for."""
        found = (hardware.gpus() or (hardware.CPU,))[0]
        self.check((found,) * (workers or 1))
        return (found,)

    def check(self, devices: Iterable[str]) -> None:
        """Refuse a device that is not here, and more than one."""
        devices = tuple(devices)
        hardware.check(devices)
        if len(devices) > 1:
            raise RunError(
                "the engine 'inline' does one job after the other",
                hint="leave --workers out, or run on another engine",
            )

    def make(self) -> Engine:
        """An engine for one run."""
        return InlineEngine()


INLINE = Inline()
