"""Verifying: some results of studies computed once more, and records that are wrong set aside."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from studyspec.api.planning import plan
from studyspec.api.workplace import HERE, Paths, Workplace, study_files
from studyspec.jobs.evaluate import Evaluate
from studyspec.jobs.stages import Job
from studyspec.jobs.train import Train
from studyspec.run import hardware, runners
from studyspec.run.recomputing import Comparison, compare
from studyspec.store.folder import Results
from studyspec.store.ingest import ingest, ingest_if_free, rebuild
from studyspec.store.queries import doubts

OnComparison = Callable[[Comparison], None]


@dataclass(frozen=True)
class Sample:
    """What to compute once more.

    Attributes
    ----------
    size
        How many tests, and with `trainings` as many trainings; tests whose records disagree come
        first, and all of them.
    trainings
        Whether to train networks anew too.
    seed
        Draws the sample; None: another one each time.
    """

    size: int = 3
    trainings: bool = False
    seed: int | None = None


def verify(
    studies: Paths,
    sample: Sample | None = None,
    profile: str | None = None,
    workplace: Workplace = HERE,
    settle: bool = False,
    on_comparison: OnComparison | None = None,
) -> tuple[Comparison, ...]:
    """Compute some known results of studies once more, and compare them with their records.

    Parameters
    ----------
    sample
        How many, which kinds.
    settle
        Whether to set aside records that differ: they are moved to `rejected/` in the results
        folder, and the database is made anew without them.
    on_comparison
        Is told of each as it comes.

    Raises
    ------
    SpecError, CatalogError
        As `plan`.
    RunError
        If a run goes on and records are to be set aside.
    """
    sample, found = sample or Sample(), []
    for study in study_files(studies):
        planned = plan(study, profile, workplace)
        results = planned.checked.results
        ingest_if_free(results)
        known = [p.job for p in planned.jobs if p.state == "known"]
        compared = []
        for job in _drawn(known, sample, set(doubts(results))):
            for one in compare(results, job, (hardware.gpus() or (hardware.CPU,))[0]):
                compared.append(one)
                if on_comparison is not None:
                    on_comparison(one)
        wrong = [one.record for one in compared if one.verdict == "differs"]
        if settle and wrong:
            _set_aside(results, wrong)
        found += compared
    return tuple(found)


def _drawn(known: Sequence[Job], sample: Sample, doubted: set[str]) -> list[Job]:
    """The jobs to do once more: doubtful tests, and others that were drawn."""
    draw = random.Random(sample.seed)
    tests = [job for job in known if isinstance(job.task, Evaluate)]
    draw.shuffle(tests)
    tests.sort(key=lambda job: job.key not in doubted)
    some = tests[: max(sample.size, sum(job.key in doubted for job in tests))]
    trainings = [job for job in known if isinstance(job.task, Train)] if sample.trainings else []
    return some + draw.sample(trainings, min(sample.size, len(trainings)))


def _set_aside(results: Results, names: Sequence[str]) -> None:
    """Move records out of the way, and make the database of the others."""
    with runners.alone(results):
        ingest(results)
        for name in names:
            results.machine.make_folder(results.rejected)
            results.machine.rename(results.records / name, results.rejected / name)
        rebuild(results)
