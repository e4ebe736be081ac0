"""The engine of this machine: one worker for each GPU, else one single-threaded for each core."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

from studyspec.plugins.contracts import Engine, EngineKind, Resources
from studyspec.run import hardware
from studyspec.run.process import Process, ending, environment
from studyspec.run.worker import BOUND
from studyspec.store.folder import Results

STOPPED_S = 60.0
"""A worker may be stopped by a signal for so long [s]."""


class LocalEngine:
    """Workers as processes of this machine; a handle is `pid:start time`."""

    def __init__(self) -> None:
        self._own: dict[str, subprocess.Popen[bytes]] = {}
        self._asked: set[str] = set()
        self._stopped: dict[str, float] = {}

    @property
    def place(self) -> str:
        """`local@` and the machine."""
        return f"local@{socket.gethostname()}"

    def start(self, n: int, resources: Resources) -> list[str]:
        """Start n workers in sessions of their own: a Ctrl-C reaches them only through us."""
        command = [sys.executable, "-m", "studyspec.run.worker", str(resources.results)]
        handles = []
        log = Results(resources.results).workers_log
        log.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(n):
            with log.open("ab") as output:
                process = subprocess.Popen(
                    [*command, resources.device, BOUND],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                    env=environment(resources.device),
                )
            handle = Process.of(process.pid).handle
            self._own[handle] = process
            handles.append(handle)
        return handles

    def alive(self, handles: Iterable[str]) -> frozenset[str]:
        """Those of the handles whose processes still run.

        A worker that was stopped does nothing, and not even end: it is ended after a minute.
        """
        living = [handle for handle in handles if Process.from_handle(handle).alive()]
        for process in self._own.values():
            process.poll()  # afterwards, so that who is not alive has been waited for
        return frozenset(handle for handle in living if not self._ended(handle))

    def cancel(self, handles: Iterable[str]) -> None:
        """Send SIGTERM, also to a worker that is stopped; the second time end it and its child."""
        for handle in self.alive(handles):
            pid, again = Process.from_handle(handle).pid, handle in self._asked
            self._asked.add(handle)
            with suppress(ProcessLookupError):
                if again:
                    os.killpg(pid, signal.SIGKILL)
                else:
                    os.kill(pid, signal.SIGTERM)
                    os.kill(pid, signal.SIGCONT)

    def why(self, handle: str) -> str:
        """The exit status of a worker that this process started."""
        process = self._own.get(handle)
        status = None if process is None else process.poll()
        return "is gone" if status is None else ending(status)

    def tend(self) -> None:
        """Nothing: the workers are processes of their own."""

    def _ended(self, handle: str) -> bool:
        """Whether a worker had been stopped for long, and is ended now."""
        worker = Process.from_handle(handle)
        if not worker.stopped():
            self._stopped.pop(handle, None)
            return False
        if time.monotonic() - self._stopped.setdefault(handle, time.monotonic()) < STOPPED_S:
            return False
        with suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        return True


class Local(EngineKind):
    """`studyspec run --on local`."""

    name = "local"

    def devices(self, workers: int | None = None) -> tuple[str, ...]:
        """Every GPU once, else the CPU once for each core; of more workers some share."""
        found = hardware.gpus() or (hardware.CPU,) * hardware.cores()
        return found if workers is None else tuple(found[i % len(found)] for i in range(workers))

    def check(self, devices: Iterable[str]) -> None:
        """Refuse devices that are not here."""
        hardware.check(devices)

    def make(self) -> Engine:
        """An engine for one run."""
        return LocalEngine()


LOCAL = Local()
