"""The engine of this machine: one worker for each GPU, else one single-threaded for each core."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from studyspec.errors import RunError
from studyspec.run.engine import Resources
from studyspec.run.process import Process, ending
from studyspec.store.layout import Results

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
GPU_FILES = ("dev/nvidia[0-9]*", "dev/dxg")


class Local:
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


def environment(device: str) -> dict[str, str]:
    """The environment of a worker: on a CPU one thread, so that workers do not fight for cores."""
    return dict(os.environ) | (dict.fromkeys(THREADS, "1") if device == "cpu" else {})


def devices(workers: int | None = None) -> tuple[str, ...]:
    """The device of each worker: every GPU once, else the CPU once for each core."""
    found = _gpus() or ("cpu",) * _cores()
    return found if workers is None else tuple(found[i % len(found)] for i in range(workers))


def check_devices(names: Sequence[str]) -> None:
    """Refuse a device that is not here.

    Raises
    ------
    RunError
        Naming the device and those there are.
    """
    here = ("cpu", *_gpus())
    for name in names:
        if name not in here:
            raise RunError(f"no device '{name}' here", hint=f"there is {', '.join(here)}")


def _gpus() -> tuple[str, ...]:
    """Asks torch only where there may be a GPU: importing it takes seconds."""
    if not any(found for pattern in GPU_FILES for found in Path("/").glob(pattern)):
        return ()
    from studyspec.learn.devices import available

    return tuple(name for name in available() if name.startswith("cuda"))


def _cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
