"""Runners: which are alive on a results folder. A lock that ends with its process says so."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from studyspec.run.queue import withdraw
from studyspec.store.folder import Results


@contextmanager
def present(results: Results) -> Iterator[None]:
    """Be a runner. One that finds itself alone takes back what dead ones had published.

    What others left to their workers stays.
    """
    with _opened(results) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            results.jobs.mkdir(parents=True, exist_ok=True)
            left = _left(results)
            stems = [path.stem for path in results.jobs.glob("[!.]*.json")]
            withdraw(results, [key for key in stems if key not in left])
        except BlockingIOError:
            pass
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def leave(results: Results, keys: Iterable[str]) -> None:
    """Note that workers do these jobs although no runner waits for them."""
    with _detached(results).open("a") as file:
        file.writelines(f"{key}\n" for key in keys)


def forget(results: Results) -> None:
    """Nobody waits for what was left any more."""
    _detached(results).unlink(missing_ok=True)


def any_alive(results: Results) -> bool:
    """Whether a runner is alive."""
    with _opened(results) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _left(results: Results) -> set[str]:
    with suppress(FileNotFoundError):
        return set(_detached(results).read_text().split())
    return set()


def _detached(results: Results) -> Path:
    return results.run / "detached"


@contextmanager
def _opened(results: Results) -> Iterator[int]:
    results.run.mkdir(parents=True, exist_ok=True)
    lock = os.open(results.run / "runners.lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        yield lock
    finally:
        os.close(lock)
