"""The machine as runs see it: its clocks, its processes, and the files they tell each other by.

Whoever runs, works or reads records has it from the results folder (`Results.machine`) and asks
nothing else of the system, so that a simulation of many machines can stand in its place.
"""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from studyspec.seals import is_named


class Machine:
    """The machine that we are on. A file that is missing raises FileNotFoundError."""

    @property
    def host(self) -> str:
        """Its name."""
        return socket.gethostname()

    @property
    def pid(self) -> int:
        """The number of the process that asks."""
        return os.getpid()

    def start_time(self, pid: int) -> str | None:
        """When a process began, as the system writes it; None if it has ended."""
        if sys.platform == "linux":
            fields = _stat(pid)
            return None if not fields or fields[0] in "ZX" else fields[19]
        state, _, started = _ps(pid, "stat=,lstart=").partition(" ")
        return None if not started or state in "Z" else started.strip().replace(" ", "_")

    def processor_time(self, pid: int) -> str:
        """How long a process has computed, in whatever unit; empty if nobody knows."""
        if sys.platform == "linux":
            fields = _stat(pid)
            return " ".join(fields[11:13]) if fields else ""
        return _ps(pid, "time=")

    def stopped(self, pid: int) -> bool:
        """Whether a process was stopped by a signal, and waits to be continued."""
        fields = _stat(pid) if sys.platform == "linux" else [_ps(pid, "stat=")[:1]]
        return bool(fields) and fields[0] in ("T", "t")

    def unique(self) -> str:
        """A name that nobody else has or will have."""
        return uuid.uuid4().hex

    def now(self) -> float:
        """The time of day [s since 1970]; it may jump."""
        return time.time()

    def monotonic(self) -> float:
        """A clock that only goes forward, and rests while the machine sleeps [s]."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def make_folder(self, path: Path) -> None:
        """Make a folder, and those above it, if it is not there."""
        path.mkdir(parents=True, exist_ok=True)

    def read(self, path: Path) -> bytes:
        """What a file holds."""
        return path.read_bytes()

    def ends(self, path: Path, n: int) -> tuple[bytes, bytes]:
        """The first line of a file, and its last n bytes."""
        with path.open("rb") as file:
            line = file.readline()
            file.seek(-n, os.SEEK_END)
            return line, file.read()

    def put(self, path: Path, content: bytes) -> None:
        """Write a file, which may end half written."""
        path.write_bytes(content)

    def create(self, path: Path, content: bytes) -> None:
        """Write a file if it is not there, else raise FileExistsError; its folder is made.

        Of several who try, one succeeds; others may see it empty for a moment.
        """
        self.make_folder(path.parent)
        with path.open("xb") as file:
            file.write(content)

    def append(self, path: Path, content: bytes) -> None:
        """Write to the end of a file, which is made, as its folder is."""
        self.make_folder(path.parent)
        with path.open("ab") as file:
            file.write(content)

    def sync(self, path: Path) -> None:
        """Wait until a file, or what a folder lists, is on the disk."""
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)

    def rename(self, path: Path, target: Path) -> None:
        """Give a file another name; one that is there is replaced at once."""
        path.replace(target)

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there."""
        path.unlink(missing_ok=True)

    def touch(self, path: Path) -> None:
        """Date a file's change now."""
        os.utime(path)

    def exists(self, path: Path) -> bool:
        """Whether a file or folder is there."""
        return path.exists()

    def changed_at(self, path: Path) -> int:
        """When a file or folder was changed, by the clock of its disk [ns since 1970]."""
        return path.stat().st_mtime_ns

    def stamp(self, path: Path) -> str:
        """Size and time of change: whether a file is as it was; empty if it is not there."""
        try:
            seen = path.stat()
        except OSError:
            return ""
        return f"{seen.st_size} {seen.st_mtime_ns}"

    def names(self, folder: Path) -> set[str]:
        """The names of all that a folder holds; none if there is no folder."""
        try:
            with os.scandir(folder) as entries:
                return {entry.name for entry in entries}
        except FileNotFoundError:
            return set()

    def is_named(self, path: Path) -> bool:
        """Whether a file is there and its name begins with its digest."""
        return is_named(path)

    @contextmanager
    def opened_lock(self, path: Path) -> Iterator[FileLock]:
        """A lock that ends with its process, to be taken; its folder is made."""
        self.make_folder(path.parent)
        opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            yield FileLock(opened)
        finally:
            os.close(opened)


class FileLock:
    """An open lock file; what is taken is given up when it is closed."""

    def __init__(self, opened: int) -> None:
        self._opened = opened

    def take(self, shared: bool = False, wait: bool = True) -> bool:
        """Take it, alone or with others, or change how it is held; False if others have it."""
        how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self._opened, how if wait else how | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


THIS = Machine()


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; none if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _ps(pid: int, fields: str) -> str:
    command = ["ps", "-o", fields, "-p", str(pid)]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if shown.returncode else shown.stdout.strip()
