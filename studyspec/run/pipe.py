"""The pipe between a worker and its child, seen from the worker. Imports no torch.

The child's first line is its device's name. Then, for each lease that it is handed, a line tells
the status of the attempt, and whether it was the child's last.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from contextlib import suppress

from studyspec.run.leases import AS_JSON, Lease
from studyspec.run.process import environment
from studyspec.store.folder import Results

LAST = "last"


class ChildProcess:
    """The child as its worker sees it."""

    def __init__(self, results: Results, device: str) -> None:
        self._machine = results.machine
        command = [sys.executable, "-m", "studyspec.run.child", str(results.folder), device]
        self._process = subprocess.Popen(
            [*command, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(device),
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._stdout, selectors.EVENT_READ)

    def ask(self, lease: Lease) -> None:
        """Hand over an attempt."""
        try:
            self._stdin.write(AS_JSON.dump_json(lease) + b"\n")
            self._stdin.flush()
        except BrokenPipeError:
            return  # its death is found by `answer`

    def answer(self, seconds: float) -> str | None:
        """What the child says within some time: None is nothing, empty that it has ended."""
        if not self._selector.select(seconds):
            return None
        return self._stdout.readline().decode().strip()

    def pause(self) -> None:
        """Ask it to give up a training at the end of its epoch, however long that takes."""
        self._process.send_signal(signal.SIGUSR1)

    def worked(self) -> str:
        """How long it has computed, in whatever unit; empty if nobody knows."""
        return self._machine.processor_time(self._process.pid)

    def stop(self) -> None:
        """Ask it to save a checkpoint and give up its job, also if it is stopped."""
        self._process.terminate()
        self._process.send_signal(signal.SIGCONT)

    def end(self) -> int:
        """Kill it; its exit status, negative for the signal that had ended it before."""
        with suppress(BrokenPipeError):
            self._stdin.close()
        try:
            status = self._process.wait(0.2 if self._process.poll() is None else 0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self._selector.close()
        self._stdout.close()
        return status
