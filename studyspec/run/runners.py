"""Runners: which are alive on a results folder. A lock that ends with its process says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from studyspec.errors import RunError
from studyspec.machine import FileLock
from studyspec.run import leases
from studyspec.run.queue import published, withdraw
from studyspec.store.folder import Results

TRIES, BETWEEN_S = 5, 0.02
"""Who only looks holds the lock for a moment [s]: so often it is tried."""


@contextmanager
def present(results: Results) -> Iterator[None]:
    """Be a runner. One that finds itself alone takes back what dead ones had published.

    What others left to their workers stays.
    """
    with _lock(results) as lock:
        if _free(results, lock):
            withdraw(results, published(results) - _left(results))
        lock.take(shared=True)
        yield


@contextmanager
def absent(results: Results) -> Iterator[bool]:
    """Whether there is no runner; if so, none begins before the block ends."""
    with _lock(results) as lock:
        yield _free(results, lock)


@contextmanager
def alone(results: Results) -> Iterator[None]:
    """Be alone in a results folder, and let no runner begin before the block ends.

    Raises
    ------
    RunError
        If a run goes on there, or a worker is at a job.
    """
    where = str(results.folder)
    with absent(results) as free:
        if not free:
            raise RunError("a run goes on here", where=where, hint="let it end, or stop it")
        if busy := leases.live(results):
            what = f"workers are at {len(busy)} jobs here, though no run goes on"
            raise RunError(what, where=where, hint="let them end, or stop them: `studyspec cancel`")
        yield


def leave(results: Results, keys: Iterable[str]) -> None:
    """Note that workers do these jobs although no runner waits for them."""
    lines = "".join(f"{key}\n" for key in keys)
    results.machine.append(_detached(results), lines.encode())


def forget(results: Results) -> None:
    """Nobody waits for what was left any more."""
    results.machine.remove(_detached(results))


def any_alive(results: Results) -> bool:
    """Whether a runner is alive. Who looks at the same moment may be taken for one.

    An archive that can only be read has none.
    """
    if not results.writable:
        return False
    with _lock(results) as lock:
        return not lock.take(wait=False)


def _free(results: Results, lock: FileLock) -> bool:
    for _ in range(TRIES):
        if lock.take(wait=False):
            return True
        results.machine.sleep(BETWEEN_S)
    return False


def _left(results: Results) -> set[str]:
    with suppress(FileNotFoundError):
        return set(results.machine.read(_detached(results)).decode().split())
    return set()


def _detached(results: Results) -> Path:
    return results.run / "detached"


def _lock(results: Results) -> AbstractContextManager[FileLock]:
    return results.machine.opened_lock(results.run / "runners.lock")
