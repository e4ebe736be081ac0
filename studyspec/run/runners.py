"""Runners: which are alive on a results folder. A lock that ends with its process says so."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from studyspec.run.queue import withdraw
from studyspec.store.folder import Results


@contextmanager
def present(results: Results) -> Iterator[None]:
    """Be a runner. One that finds itself alone takes back what dead ones had published."""
    with _opened(results) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            results.jobs.mkdir(parents=True, exist_ok=True)
            withdraw(results, [path.stem for path in results.jobs.glob("*.json")])
        except BlockingIOError:
            pass
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def any_alive(results: Results) -> bool:
    """Whether a runner is alive."""
    with _opened(results) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


@contextmanager
def _opened(results: Results) -> Iterator[int]:
    results.run.mkdir(parents=True, exist_ok=True)
    lock = os.open(results.run / "runners.lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        yield lock
    finally:
        os.close(lock)
