"""Processes: who a process is, whether it still lives, and how a child dies with its parent.

A process is told from a later one of the same number by its start time. Knows no jobs.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass

from studyspec.machine import THIS, Machine

PR_SET_PDEATHSIG = 1
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
HELD = {"MALLOC_MMAP_THRESHOLD_": str(2**28), "MALLOC_TRIM_THRESHOLD_": str(2**28)}
"""The C library keeps what is freed: else each tensor's pages are asked of the system anew."""
WATCH_S = 0.5


@dataclass(frozen=True)
class Process:
    """One process on one machine; `started` is what that machine calls its start time."""

    host: str
    pid: int
    started: str

    @classmethod
    def current(cls, machine: Machine = THIS) -> Process:
        """The process that asks."""
        return cls.of(machine.pid, machine)

    @classmethod
    def of(cls, pid: int, machine: Machine = THIS) -> Process:
        """The live process of this number on this machine."""
        return cls(machine.host, pid, machine.start_time(pid) or "")

    @classmethod
    def from_handle(cls, handle: str, machine: Machine = THIS) -> Process:
        """The process that `handle` names, on this machine."""
        pid, _, started = handle.partition(":")
        return cls(machine.host, int(pid), started)

    @property
    def handle(self) -> str:
        """`pid:start time`: names the process to whoever asks later on the same machine."""
        return f"{self.pid}:{self.started}"

    def here(self, machine: Machine = THIS) -> bool:
        """Whether the process is, or was, one of this machine."""
        return self.host == machine.host

    def alive(self, machine: Machine = THIS) -> bool:
        """Whether the process still runs; only its own machine can tell."""
        return self.here(machine) and machine.start_time(self.pid) == self.started

    def stopped(self, machine: Machine = THIS) -> bool:
        """Whether it was stopped by a signal, as Ctrl-Z does; only its own machine can tell."""
        return self.alive(machine) and machine.stopped(self.pid)


def ending(status: int) -> str:
    """How a process ended, from its exit status (negative: the signal), to be read after it."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"


def environment(device: str) -> dict[str, str]:
    """The environment of a worker: on a CPU one thread, so that workers do not fight for cores."""
    if device != "cpu":
        return dict(os.environ)
    return HELD | dict(os.environ) | dict.fromkeys(THREADS, "1")


def die_with(parent: int) -> None:
    """Kill this process as soon as its parent has ended, however that came about.

    Linux does so by itself; elsewhere, and for a parent that ended before this call, a thread asks.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_S)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()
