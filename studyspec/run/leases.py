"""Leases: who does which job now. One file per leased job; its time of change is the heartbeat.

A worker takes a lease by exclusive creation and gives it back itself. Only a runner may take away
the lease of an owner that has died or has long been silent, by a rename. Knows no results.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from studyspec.files import write
from studyspec.machine import Machine
from studyspec.run.process import Process
from studyspec.store.folder import Results

BEAT_S = 2.0
SILENCE_S = 60.0
"""An owner counts as dead after this long without a heartbeat, wherever it is [s]."""
IDLE = "idle_s"
"""In place of a job's progress: for how long its process has not computed [s]."""


@dataclass(frozen=True)
class Lease:
    """One attempt at one job: the attempt's own name, its owner, and since when [s since 1970]."""

    key: str
    attempt: str
    owner: Process
    device: str
    since: float


AS_JSON = TypeAdapter(Lease)


@dataclass
class Hearing:
    """Hears heartbeats: how long leases have been silent, by the clock of who hears.

    So no lease ends because a clock was set, or because the whole machine slept.
    """

    machine: Machine
    _heard: dict[str, tuple[object, float]] = field(default_factory=dict)

    def silence_s(self, key: str, beat: object) -> float:
        """How long the lease of a job has been as it is now."""
        now = self.machine.monotonic()
        before = self._heard.get(key)
        if before is None or before[0] != beat:
            self._heard[key] = before = (beat, now)
        return now - before[1]

    def forget(self, but: set[str]) -> None:
        """Forget all leases but these."""
        for key in self._heard.keys() - but:
            del self._heard[key]


def take(results: Results, key: str, owner: Process, device: str) -> Lease | None:
    """Lease a job to `owner`; None if it is leased already."""
    machine = results.machine
    lease = Lease(key, machine.unique(), owner, device, machine.now())
    try:  # not by a rename: of two that rename both would win
        machine.create(results.lease(key), AS_JSON.dump_json(lease))
    except FileExistsError:
        return None
    return lease


def beat(results: Results, lease: Lease) -> bool:
    """Show that the owner lives; False if the lease was taken away."""
    if not holds(results, lease):
        return False
    with suppress(FileNotFoundError):
        results.machine.touch(results.lease(lease.key))
        return True
    return False


def holds(results: Results, lease: Lease) -> bool:
    """Whether a lease was not taken away."""
    return read(results, lease.key) == lease


def release(results: Results, lease: Lease) -> None:
    """Give the job back: its record is written, or there is none to write."""
    if holds(results, lease):
        results.machine.remove(progress_path(results, lease.key))
        results.machine.remove(results.lease(lease.key))


def tell(results: Results, lease: Lease, idle_s: float) -> None:
    """Say that a job's process does nothing, in place of its progress."""
    told = json.dumps({IDLE: round(idle_s)})
    write(progress_path(results, lease.key), told, durable=False, machine=results.machine)


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


def read(results: Results, key: str) -> Lease | None:
    """The lease of a job; None if there is none, or it is not yet written."""
    with suppress(FileNotFoundError, ValidationError):
        return AS_JSON.validate_json(results.machine.read(results.lease(key)))
    return None


def held(results: Results) -> set[str]:
    """The keys of all leased jobs."""
    return {name for name in results.machine.names(results.leases) if "." not in name}


def live(results: Results) -> set[str]:
    """The keys of leases whose owners seem to live."""
    keys = held(results)
    if not keys:
        return keys
    now = _disk_time(results)
    return {key for key in sorted(keys) if not _dead(results, key, now)}


def expire(results: Results, hearing: Hearing) -> Iterator[Lease]:
    """Take away the leases of owners dead or silent, one by one; each goes to one runner only.

    The caller writes the record of the loss before it asks for the next one.
    """
    keys = held(results)
    hearing.forget(keys)
    if not keys:
        return
    machine = results.machine
    with machine.opened_lock(results.leases / ".expire.lock") as lock:
        lock.take()  # so that no other runner renames a lease made since it was judged
        for key in sorted(keys):
            path = results.lease(key)
            lease = read(results, key)
            with suppress(FileNotFoundError):
                seen = (lease, machine.changed_at(path))
                dead = lease is not None and _ended(results, lease)
                if not dead and hearing.silence_s(key, seen) <= SILENCE_S:
                    continue
                taken = path.with_name(f"{key}.expired")
                machine.rename(path, taken)
                if lease is not None:
                    yield lease
                machine.remove(taken)
                machine.remove(progress_path(results, key))


def progress_path(results: Results, key: str) -> Path:
    """Where the worker of a leased job says how far it is."""
    return results.lease(key).with_name(f"{key}.progress")


def _ended(results: Results, lease: Lease) -> bool:
    """Whether the owner is known to have ended."""
    owner, machine = lease.owner, results.machine
    return owner.here(machine) and not owner.alive(machine)


def _dead(results: Results, key: str, now: float) -> bool:
    """Whether the owner has ended or was silent for long, told by one look."""
    lease = read(results, key)
    if lease is not None and _ended(results, lease):
        return True
    with suppress(FileNotFoundError):
        return now - results.machine.changed_at(results.lease(key)) / 1e9 > SILENCE_S
    return True


def _disk_time(results: Results) -> float:
    """Now, by the clock that dates the leases: on a shared disk that of its server [s]."""
    machine = results.machine
    probe = results.leases / f".{machine.unique()}.now"
    machine.create(probe, b"")
    now = machine.changed_at(probe) / 1e9
    machine.remove(probe)
    return now
