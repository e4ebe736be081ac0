"""An engine: workers of this machine at a lower priority."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress

from studyspec.plugins.contracts import Engine, EngineKind, Resources


class NiceWorkers:
    """Workers as processes; a handle is the number of one."""

    def __init__(self) -> None:
        self._own: dict[str, subprocess.Popen[bytes]] = {}
        self.place = f"nice@{socket.gethostname()}"

    def start(self, n: int, resources: Resources) -> list[str]:
        """Start n workers under `nice`."""
        command = ["nice", "-n", "10", sys.executable, "-m", "studyspec", "work"]
        command += [str(resources.results), "--device", resources.device]
        handles = []
        for _ in range(n):
            worker = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
            self._own[str(worker.pid)] = worker
            handles.append(str(worker.pid))
        return handles

    def alive(self, handles: Iterable[str]) -> frozenset[str]:
        """Those that still run."""
        running = {pid for pid, worker in self._own.items() if worker.poll() is None}
        return frozenset(running & set(handles))

    def cancel(self, handles: Iterable[str]) -> None:
        """Ask them to stop."""
        for handle in self.alive(handles):
            with suppress(ProcessLookupError):
                os.kill(int(handle), signal.SIGTERM)

    def why(self, handle: str) -> str:
        """Their exit status."""
        worker = self._own.get(handle)
        return "is gone" if worker is None else f"ended with status {worker.poll()}"

    def tend(self) -> None:
        """Nothing to do: they work by themselves."""


class Nice(EngineKind):
    """`studyspec run --on nice`."""

    name = "nice"

    def devices(self, workers: int | None = None) -> tuple[str, ...]:
        """The CPU, once for each worker."""
        return ("cpu",) * (workers or 1)

    def check(self, devices: Iterable[str]) -> None:
        """Whatever is asked for: the worker says if it is not there."""

    def make(self) -> Engine:
        """An engine for one run."""
        return NiceWorkers()


NICE = Nice()
