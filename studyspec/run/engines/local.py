"""The engine of this machine: one worker for each GPU, else one single-threaded for each core."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress

from studyspec.plugins.contracts import Engine, EngineKind, Resources
from studyspec.run import hardware
from studyspec.run.process import Process, ending, environment
from studyspec.store.folder import Results


class LocalEngine:
    """Workers as processes of this machine; a handle is `pid:start time`."""

    def __init__(self) -> None:
        self._own: dict[str, subprocess.Popen[bytes]] = {}

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
                    [*command, resources.device],
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
        """Those of the handles whose processes still run."""
        for process in self._own.values():
            process.poll()
        return frozenset(handle for handle in handles if Process.from_handle(handle).alive)

    def cancel(self, handles: Iterable[str]) -> None:
        """Send SIGTERM."""
        for handle in self.alive(handles):
            with suppress(ProcessLookupError):
                os.kill(Process.from_handle(handle).pid, signal.SIGTERM)

    def why(self, handle: str) -> str:
        """The exit status of a worker that this process started."""
        process = self._own.get(handle)
        status = None if process is None else process.poll()
        return "is gone" if status is None else ending(status)

    def tend(self) -> None:
        """Nothing: the workers are processes of their own."""


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
