"""All records of a results folder: which jobs are done, which failed, which plan is newest.

Works from the files alone, for workers too; knows no database. `record_file.py` has one record.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from studyspec.errors import StoreError, WeightsGone
from studyspec.jobs.stages import STAGES, Job
from studyspec.jobs.train import Trained
from studyspec.machine import Machine
from studyspec.store.folder import Results
from studyspec.store.record_file import (
    EarlierResultsError,
    Head,
    PlanName,
    Status,
    read_head,
    read_record,
)
from studyspec.store.rules import newest, ranked
from studyspec.store.verdicts import Refused, read_refused

TRIES = 3
FAILURES: tuple[Status, ...] = ("error", "out_of_memory", "time_limit", "killed", "lost")
FINAL: Mapping[Status | None, str] = {
    "out_of_memory": "out of memory",
    "time_limit": "time limit",
}
SETTLED_S = 2.0
"""File systems date a folder's changes coarsely: within this time one may go unseen [s]."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KeyStatus:
    """What the records say of one job.

    Attributes
    ----------
    done
        Whether there is a result.
    failures
        Attempts that failed; being preempted is no failure.
    last_status, last_message, last_log, last_kind
        Of the last of these.
    weights
        Hashes of the weights of all done trainings, the chosen one first.
    path
        The chosen record of those that are done, or None.
    """

    done: bool = False
    failures: int = 0
    last_status: Status | None = None
    last_message: str = ""
    last_log: str | None = None
    last_kind: str = ""
    weights: tuple[str, ...] = ()
    path: Path | None = None

    @property
    def weights_sha256(self) -> str | None:
        """The hash of the chosen weights, of a done training."""
        return self.weights[0] if self.weights else None

    def failed(self, forgiven: int = 0) -> bool:
        """Whether it will not be tried again, if `forgiven` failures do not count.

        A done job may be tried again too, to bring back what it made.
        """
        failures = self.failures - forgiven
        return failures >= TRIES or (failures > 0 and self.last_status in FINAL)

    @property
    def mended(self) -> bool:
        """Whether it failed for want of what another run makes again."""
        return self.last_kind == WeightsGone.__name__

    @property
    def final_failure(self) -> str:
        """Why it will not be tried again; empty if it is done or will be."""
        if self.done or self.mended or not self.failed():
            return ""
        return FINAL.get(self.last_status) or self.last_message or "it failed"


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What the index keeps of a record."""

    path: Path
    status: Status
    finished_at: datetime
    weights_sha256: str | None
    network: str | None
    kind: str
    message: str
    log: str | None
    number: int
    machine: Machine

    @classmethod
    def of(cls, path: Path, head: Head, machine: Machine) -> _Attempt:
        """The attempt of a record's head."""
        return cls(
            path,
            head.status,
            head.finished_at,
            head.weights_sha256,
            head.network,
            "" if head.error is None else head.error.kind,
            "" if head.error is None else head.error.text,
            head.log,
            head.sequence.number,
            machine,
        )

    def sha256(self) -> str:
        """Of the file."""
        return hashlib.sha256(self.machine.read(self.path)).hexdigest()


@dataclass
class RecordIndex:
    """What the records of a folder say, kept up to date: only new files are opened.

    Raises
    ------
    EarlierResultsError
        From every question, if a record of an earlier version is met.
    """

    results: Results
    _attempts: dict[str, list[_Attempt]] = field(default_factory=dict)
    _statuses: dict[str, KeyStatus] = field(default_factory=dict)
    _tests: dict[str, set[str]] = field(default_factory=dict)
    _plans: dict[PlanName, _Attempt] = field(default_factory=dict)
    _longest: dict[str, float] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _unreadable: dict[str, str] = field(default_factory=dict)
    _refused: Refused = field(default_factory=dict)
    _refused_stamp: str = ""
    _changed_at: int = -1
    _first_seen: float = 0.0
    _settled: bool = False

    def statuses(self) -> Mapping[str, KeyStatus]:
        """The status of every job that has a record, by key; always the same growing mapping."""
        self.refresh()
        return self._statuses

    def newest_plan(self, study: str, profile: str | None) -> Path | None:
        """The record of the newest plan of a study and profile."""
        self.refresh()
        found = self._plans.get(PlanName(study=study, profile=profile))
        return None if found is None else found.path

    def has_artifact(self, job: Job) -> bool:
        """Whether what a done job made is still there, where other jobs would need it.

        Weights must be as they were written; patches are compared where they are read, as they are
        large, and made again there.
        """
        return self.holds(job.stage, job.key)

    def holds(self, stage: str, key: str) -> bool:
        """As `has_artifact`, for a stage and key."""
        match STAGES[stage].noun:
            case "patches":
                return self.results.machine.exists(self.results.patches(key))
            case "weights":
                status = self._statuses.get(key, KeyStatus())
                return whole_weights(self.results, status.weights) is not None
            case _:
                return True

    def longest_s(self, stage: str) -> float:
        """The longest time that a done job of a stage took [s]; 0 if none was done."""
        return self._longest.get(stage, 0.0)

    def refresh(self) -> None:
        """Read what is new. A record that cannot be read is told of once and passed over.

        So are those that were refused when they were ingested, without a word: they were told of.
        """
        changed = self._drop_refused()
        if self._quiet():
            self._judge(changed)
            return
        for name in self._new_names():
            path = self.results.records / name
            try:
                head = read_head(path, self.results.machine)
            except EarlierResultsError:
                self._changed_at = -1
                raise
            except StoreError as error:
                self._pass_over(path, error)
                continue
            self._seen.add(name)
            self._unreadable.pop(name, None)
            attempt = _Attempt.of(path, head, self.results.machine)
            if head.plan is not None:
                before = self._plans.get(head.plan, attempt)
                self._plans[head.plan] = newest((before, attempt))
            else:
                self._attempts.setdefault(head.key, []).append(attempt)
                changed.add(head.key)
            if head.status == "done" and head.seconds is not None:
                longest = max(head.seconds, self._longest.get(head.stage, 0.0))
                self._longest[head.stage] = longest
            if head.network is not None:
                self._tests.setdefault(head.network, set()).add(head.key)
        self._judge(changed)

    def _judge(self, changed: set[str]) -> None:
        """Tell anew how these jobs stand, and tests of the networks among them."""
        tests = {test for key in changed for test in self._tests.get(key, ())}
        for key in (*(changed - tests), *tests):
            attempts = self._attempts[key]
            network = next((a.network for a in attempts if a.network is not None), "")
            wanted = self._statuses.get(network, KeyStatus()).weights_sha256
            self._statuses[key] = _status(attempts, wanted)

    def _quiet(self) -> bool:
        """Whether the folder is unchanged since a look that must have seen everything."""
        try:
            changed_at = self.results.machine.changed_at(self.results.records)
        except FileNotFoundError:
            return True
        now = self.results.machine.monotonic()
        if changed_at != self._changed_at:
            self._changed_at, self._first_seen, self._settled = changed_at, now, False
            return False
        quiet = self._settled and not self._unreadable
        self._settled = now - self._first_seen > SETTLED_S
        return quiet

    def _new_names(self) -> Iterator[str]:
        for name in sorted(record_names(self.results) - self._seen):
            told = {self._unreadable.get(name), self._refused.get(name, (None,))[0]} - {None}
            if not told or self.results.machine.stamp(self.results.records / name) not in told:
                yield name

    def _drop_refused(self) -> set[str]:
        """Forget records that were refused since the last time; the jobs that they were of."""
        changed = self.results.machine.stamp(self.results.refused)
        if changed == self._refused_stamp:
            return set()
        self._refused_stamp, self._refused = changed, read_refused(self.results)
        self._changed_at = -1
        keys = set()
        for name in self._refused.keys() & self._seen:
            key = name.partition(".")[0]
            self._seen.discard(name)
            kept = [one for one in self._attempts.get(key, ()) if one.path.name != name]
            self._attempts[key] = kept
            keys.add(key)
        return keys

    def _pass_over(self, path: Path, error: StoreError) -> None:
        self._unreadable[path.name] = self.results.machine.stamp(path)
        log.warning("%s", error.text)


def record_names(results: Results) -> set[str]:
    """The names of all records, without those being written."""
    names = results.machine.names(results.records)
    return {name for name in names if name.endswith(".json") and not name.startswith(".")}


def trained_weights(results: Results, key: str) -> tuple[str, ...]:
    """Hashes of the weights that a train job left, the chosen one first."""
    done, refused, machine = [], read_refused(results), results.machine
    for name in record_names(results):
        path = results.records / name
        if name.startswith(f"{key}.") and refused.get(name, ("",))[0] != machine.stamp(path):
            with suppress(StoreError):
                done.append(_Attempt.of(path, read_head(path, machine), machine))
    return _weights(ranked([attempt for attempt in done if attempt.status == "done"]))


def whole_weights(results: Results, hashes: Iterable[str]) -> Path | None:
    """The first of these weights that is there as it was written; others are told of once."""
    for sha in hashes:
        path = results.network(sha)
        if results.machine.is_named(path):
            return path
        if results.machine.exists(path):
            _tell_damaged(path, results.machine.stamp(path))
    return None


@lru_cache
def _tell_damaged(path: Path, _state: str) -> None:
    log.warning("%s: damaged weights: they differ from the hash in their name; left out", path)


def lowest_loss(index: RecordIndex, key: str) -> float | None:
    """The lowest validation loss of a training; None if it is not done, infinite if it failed."""
    status = index.statuses().get(key)
    if status is None:
        return None
    if status.path is None:
        return float("inf") if status.final_failure else None
    trained = read_record(status.path, index.results.machine).parsed(Trained)
    losses = [epoch.validation_loss for epoch in trained.history]
    return min((loss for loss in losses if loss is not None), default=float("inf"))


def _status(attempts: Sequence[_Attempt], wanted: str | None) -> KeyStatus:
    done = ranked([attempt for attempt in attempts if attempt.status == "done"], wanted)
    failed = sorted((attempt for attempt in attempts if attempt.status in FAILURES), key=_age)
    last = failed[-1] if failed else None
    return KeyStatus(
        done=bool(done),
        failures=len(failed),
        last_status=None if last is None else last.status,
        last_message="" if last is None else last.message,
        last_log=None if last is None else last.log,
        last_kind="" if last is None else last.kind,
        weights=_weights(done),
        path=done[0].path if done else None,
    )


def _weights(done: Sequence[_Attempt]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(a.weights_sha256 for a in done if a.weights_sha256 is not None))


def _age(attempt: _Attempt) -> tuple[datetime, str]:
    return attempt.finished_at, attempt.path.name
