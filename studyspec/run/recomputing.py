"""Recomputing: doing a job that is done once more, and comparing what comes out with its records.

Nothing is recorded. Tests are compared by their pooled dice; trainings by the hash of their
weights, and where another machine rounds otherwise, by their lowest validation loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from studyspec.errors import StoreError, StudySpecError
from studyspec.jobs.evaluate import Evaluate, Evaluated, ScoreColumns
from studyspec.jobs.kept import KeptPatch
from studyspec.jobs.stages import Job
from studyspec.jobs.task import Key, Result
from studyspec.jobs.train import Trained
from studyspec.run.bench import Bench
from studyspec.store.folder import Results
from studyspec.store.record_file import Record, read_record
from studyspec.store.records import record_names
from studyspec.store.rules import AGREEMENT
from studyspec.store.verdicts import read_refused

Verdict = Literal["same", "agrees", "differs", "failed"]
LOSS_AGREEMENT = 0.05
"""Lowest validation losses of one training on two machines differ by less (a share of them)."""


@dataclass(frozen=True)
class Comparison:
    """One record beside what was computed anew.

    Attributes
    ----------
    record
        The name of its file.
    value
        Which number is compared: "dice" or "loss".
    recorded, recomputed
        That number; None where there is none.
    verdict
        `same`: every count, or the weights, to the last bit; `agrees`: within the tolerance;
        `failed`: it could not be computed.
    why
        Why it failed.
    """

    job: Job
    record: str
    value: str
    recorded: float | None
    recomputed: float | None
    verdict: Verdict
    why: str = ""


class _Desk(Bench):
    """A bench that leaves no trace of what is done at it, but weights under their own hash."""

    def keep(self, key: Key, patches: list[KeptPatch]) -> None:
        """Keep nothing."""

    def checkpoint(self, key: Key) -> Path:
        """Another place than that of the training itself."""
        return self._results.checkpoint(f"{key}.verify")


def compare(results: Results, job: Job, device: str) -> Iterator[Comparison]:
    """Do a job once more, and compare each of its records that can be compared."""
    from studyspec.learn.devices import one_thread

    records = dict(_records(results, job.key))
    value = "dice" if isinstance(job.task, Evaluate) else "loss"
    desk = _Desk(results, device)
    try:
        with one_thread(device):
            result = desk.execute(job)
    except StudySpecError as error:
        for name in records:
            yield Comparison(job, name, value, None, None, "failed", error.text)
        return
    finally:
        results.machine.remove(desk.checkpoint(job.key))
    for name, record in records.items():
        with suppress(StoreError):
            before = record.parsed(job.task.result)
            if _comparable(before, result):
                yield _compared(job, name, before, result)


def _records(results: Results, key: str) -> Iterator[tuple[str, Record]]:
    """The records of a job that are done and were not refused."""
    refused = read_refused(results)
    for name in sorted(record_names(results) - refused.keys()):
        if name.startswith(f"{key}."):
            with suppress(StoreError):
                record = read_record(results.records / name, results.machine)
                if record.head.status == "done":
                    yield name, record


def _comparable(before: Result, now: Result) -> bool:
    """Tests of the same weights, and trainings, can be compared."""
    if isinstance(before, Evaluated) and isinstance(now, Evaluated):
        return before.weights_sha256 == now.weights_sha256
    return isinstance(before, Trained)


def _compared(job: Job, name: str, before: Result, now: Result) -> Comparison:
    if isinstance(before, Evaluated) and isinstance(now, Evaluated):
        same = _counts(before.scores) == _counts(now.scores)
        was, is_now = pooled_dice(before.scores), pooled_dice(now.scores)
        close = abs(was - is_now) <= AGREEMENT and len(before.scores.tp) == len(now.scores.tp)
        return Comparison(job, name, "dice", was, is_now, _verdict(same, close))
    assert isinstance(before, Trained)
    assert isinstance(now, Trained)
    same = before.weights_sha256 == now.weights_sha256
    lost, loses = _lowest(before), _lowest(now)
    close = lost == loses
    if lost is not None and loses is not None:
        close = abs(lost - loses) <= LOSS_AGREEMENT * abs(lost)
    return Comparison(job, name, "loss", lost, loses, _verdict(same, close))


def pooled_dice(scores: ScoreColumns) -> float:
    """2 TP / (2 TP + FP + FN) over all patches; 0 where there is no particle at all."""
    hit, wrong = 2 * sum(scores.tp), sum(scores.fp) + sum(scores.fn)
    return hit / (hit + wrong) if hit + wrong else 0.0


def _counts(scores: ScoreColumns) -> Mapping[str, object]:
    return {name: getattr(scores, name) for name in ("tp", "fp", "fn", "tn")}


def _lowest(trained: Trained) -> float | None:
    losses = (epoch.validation_loss for epoch in trained.history)
    return min((loss for loss in losses if loss is not None), default=None)


def _verdict(same: bool, close: bool) -> Verdict:
    return "same" if same else "agrees" if close else "differs"
