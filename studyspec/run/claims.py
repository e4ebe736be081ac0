"""Claims: who does which job now. One file per claimed job; its time of change is the heartbeat.

A worker takes a claim by exclusive creation and gives it back itself. Only a runner may take away
the claim of an owner that has died, by a rename. Knows no results.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from studyspec.run.process import Process
from studyspec.store.layout import Results

BEAT_S = 2.0
SILENCE_S = 60.0
"""An owner on another machine is dead after this long without a heartbeat [s]."""


@dataclass(frozen=True)
class Claim:
    """One attempt at one job: the attempt's own name, its owner, and since when [s since 1970]."""

    key: str
    attempt: str
    owner: Process
    device: str
    since: float

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Claim:
        """The claim that `asdict` turned into JSON values."""
        return cls(**{**values, "owner": Process(**values["owner"])})


def take(results: Results, key: str, owner: Process, device: str) -> Claim | None:
    """Claim a job for `owner`; None if it is claimed already."""
    claim = Claim(key, uuid.uuid4().hex, owner, device, time.time())
    path = results.claim(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return None
    with os.fdopen(file, "w") as opened:
        opened.write(json.dumps(asdict(claim)))
    return claim


def beat(results: Results, claim: Claim) -> bool:
    """Show that the owner lives; False if the claim was taken away."""
    if read(results.claim(claim.key)) != claim:
        return False
    with suppress(FileNotFoundError):
        os.utime(results.claim(claim.key))
        return True
    return False


def release(results: Results, claim: Claim) -> None:
    """Give the job back: its record is written, or there is none to write."""
    progress_path(results, claim.key).unlink(missing_ok=True)
    if read(results.claim(claim.key)) == claim:
        results.claim(claim.key).unlink(missing_ok=True)


def read(path: Path) -> Claim | None:
    """The claim in a file; None if it is gone or not yet written."""
    with suppress(FileNotFoundError, json.JSONDecodeError):
        return Claim.from_json(json.loads(path.read_text()))
    return None


def held(results: Results) -> set[str]:
    """The keys of all claimed jobs."""
    try:
        with os.scandir(results.claims) as entries:
            return {entry.name for entry in entries if "." not in entry.name}
    except FileNotFoundError:
        return set()


def expire(results: Results) -> Iterator[Claim]:
    """Take away the claims of dead owners, one by one; each is yielded to one runner only.

    The caller writes the record of the loss before it asks for the next one.
    """
    keys = held(results)
    if not keys:
        return
    with _alone(results):
        now = _file_system_time(results)
        for key in keys:
            path = results.claim(key)
            claim = read(path)
            if not _dead(path, claim, now):
                continue
            taken = path.with_name(f"{key}.expired")
            with suppress(FileNotFoundError):
                path.rename(taken)
                if claim is not None:
                    yield claim
                taken.unlink()
                progress_path(results, key).unlink(missing_ok=True)


def progress_path(results: Results, key: str) -> Path:
    """Where the worker of a claimed job says how far it is."""
    return results.claim(key).with_name(f"{key}.progress")


def _dead(path: Path, claim: Claim | None, now: float) -> bool:
    """Whether the owner has ended; of one elsewhere only its silence can tell."""
    if claim is not None and claim.owner.here:
        return not claim.owner.alive
    with suppress(FileNotFoundError):
        return now - path.stat().st_mtime > SILENCE_S
    return False


def _file_system_time(results: Results) -> float:
    """Now, by the clock that dates the claims: on a shared disk that of its server [s]."""
    probe = results.claims / f".{os.getpid()}.now"
    probe.touch()
    now = probe.stat().st_mtime
    probe.unlink()
    return now


@contextmanager
def _alone(results: Results) -> Iterator[None]:
    """Hold off other runners, so that nobody renames a claim made since it was judged."""
    with open(results.claims / ".expire.lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
