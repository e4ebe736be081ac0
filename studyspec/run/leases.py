"""Leases: who does which job now. One file per leased job; its time of change is the heartbeat.

A worker takes a lease by exclusive creation and gives it back itself. Only a runner may take away
the lease of an owner that has died, by a rename. Knows no results.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from studyspec.run.process import Process
from studyspec.store.folder import Results

BEAT_S = 2.0
SILENCE_S = 60.0
"""An owner on another machine is dead after this long without a heartbeat [s]."""


@dataclass(frozen=True)
class Lease:
    """One attempt at one job: the attempt's own name, its owner, and since when [s since 1970]."""

    key: str
    attempt: str
    owner: Process
    device: str
    since: float


AS_JSON = TypeAdapter(Lease)


def take(results: Results, key: str, owner: Process, device: str) -> Lease | None:
    """Lease a job to `owner`; None if it is leased already."""
    lease = Lease(key, uuid.uuid4().hex, owner, device, time.time())
    path = results.lease(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:  # not by a rename: of two that rename both would win
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return None
    with os.fdopen(file, "wb") as opened:
        opened.write(AS_JSON.dump_json(lease))
    return lease


def beat(results: Results, lease: Lease) -> bool:
    """Show that the owner lives; False if the lease was taken away."""
    if read(results.lease(lease.key)) != lease:
        return False
    with suppress(FileNotFoundError):
        os.utime(results.lease(lease.key))
        return True
    return False


def release(results: Results, lease: Lease) -> None:
    """Give the job back: its record is written, or there is none to write."""
    progress_path(results, lease.key).unlink(missing_ok=True)
    if read(results.lease(lease.key)) == lease:
        results.lease(lease.key).unlink(missing_ok=True)


@contextmanager
def kept(results: Results, lease: Lease) -> Iterator[None]:
    """Beat as long as the block lasts, from a thread, and give the job back at its end."""
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(BEAT_S) and beat(results, lease):
            pass

    thread = threading.Thread(target=go_on, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        release(results, lease)


def read(path: Path) -> Lease | None:
    """The lease in a file; None if it is gone or not yet written."""
    with suppress(FileNotFoundError, ValidationError):
        return AS_JSON.validate_json(path.read_bytes())
    return None


def held(results: Results) -> set[str]:
    """The keys of all leased jobs."""
    try:
        with os.scandir(results.leases) as entries:
            return {entry.name for entry in entries if "." not in entry.name}
    except FileNotFoundError:
        return set()


def expire(results: Results) -> Iterator[Lease]:
    """Take away the leases of dead owners, one by one; each is yielded to one runner only.

    The caller writes the record of the loss before it asks for the next one.
    """
    keys = held(results)
    if not keys:
        return
    with _alone(results):
        now = _file_system_time(results)
        for key in keys:
            path = results.lease(key)
            lease = read(path)
            if not _dead(path, lease, now):
                continue
            taken = path.with_name(f"{key}.expired")
            with suppress(FileNotFoundError):
                path.rename(taken)
                if lease is not None:
                    yield lease
                taken.unlink()
                progress_path(results, key).unlink(missing_ok=True)


def progress_path(results: Results, key: str) -> Path:
    """Where the worker of a leased job says how far it is."""
    return results.lease(key).with_name(f"{key}.progress")


def _dead(path: Path, lease: Lease | None, now: float) -> bool:
    """Whether the owner has ended; of one elsewhere only its silence can tell."""
    if lease is not None and lease.owner.here:
        return not lease.owner.alive
    with suppress(FileNotFoundError):
        return now - path.stat().st_mtime > SILENCE_S
    return False


def _file_system_time(results: Results) -> float:
    """Now, by the clock that dates the leases: on a shared disk that of its server [s]."""
    probe = results.leases / f".{os.getpid()}.now"
    probe.touch()
    now = probe.stat().st_mtime
    probe.unlink()
    return now


@contextmanager
def _alone(results: Results) -> Iterator[None]:
    """Hold off other runners, so that nobody renames a lease made since it was judged."""
    with open(results.leases / ".expire.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
