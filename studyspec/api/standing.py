"""How far the jobs are: done, under way, to do, failed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from studyspec.api.checking import check
from studyspec.api.engines import workers
from studyspec.api.planning import plan_checked
from studyspec.api.workplace import HERE, RESULTS, AnyPath, Workplace, results_in
from studyspec.jobs.stages import STAGES
from studyspec.plan.states import PlannedJob
from studyspec.run.runners import any_alive
from studyspec.store import queries
from studyspec.store.ingest import ingest
from studyspec.store.records import RecordIndex


@dataclass(frozen=True)
class StageStanding:
    """How many jobs of a stage are done, under way, to do and failed; None: nobody knows."""

    stage: str
    done: int
    running: int | None
    to_do: int | None
    failed: int


@dataclass(frozen=True)
class FailedJob:
    """A job that failed: what it is, why it failed, and its log if it has one."""

    title: str
    reason: str
    log: Path | None


@dataclass(frozen=True)
class Standing:
    """How far jobs are: each stage that has any, those under way, those that failed.

    `doubts` are tests whose records disagree, `workers` is how workers are, both in words.
    """

    stages: tuple[StageStanding, ...]
    running: tuple[str, ...]
    failed: tuple[FailedJob, ...]
    doubts: tuple[str, ...] = ()
    workers: tuple[str, ...] = ()


def status(study: AnyPath, profile: str | None = None, workplace: Workplace = HERE) -> Standing:
    """What of a study is done, under way, to do and failed; raises as `plan`."""
    checked = check(study, profile, replace(workplace, trust=True))  # it runs nothing
    results, index = checked.results, RecordIndex(checked.results)
    jobs = plan_checked(checked, index).jobs
    statuses = index.statuses()
    leased = {p.job.key for p in jobs if results.lease(p.job.key).exists()}
    counts = Counter((p.job.stage, _standing(p, leased)) for p in jobs)
    having = {stage for stage, _ in counts}
    doubted = queries.doubts(results)
    failed = []
    for p in (p for p in jobs if p.state == "failed"):
        log = statuses[p.job.key].last_log
        failed.append(FailedJob(p.job.title, p.reason, results.folder / log if log else None))
    return Standing(
        tuple(
            StageStanding(s, *(counts[s, how] for how in ("done", "running", "to do", "failed")))
            for s in STAGES
            if s in having
        ),
        tuple(p.job.title for p in jobs if p.job.key in leased),
        tuple(failed),
        tuple(f"{p.job.title}: {doubted[p.job.key]}" for p in jobs if p.job.key in doubted),
        workers(results),
    )


def overview(results: AnyPath = RESULTS) -> Standing:
    """What of all studies in a results folder is done, under way and failed.

    What is to do only a study file tells.

    Raises
    ------
    NothingThere
        If there are no results.
    """
    place = results_in(results)
    if place.records.exists() and not any_alive(place):
        ingest(place)  # workers may go on without a run
    found = queries.overview(place)
    return Standing(
        tuple(
            StageStanding(one.stage, one.done, None, None, one.failed)
            for one in found.stages
            if one.done or one.failed
        ),
        found.running,
        tuple(FailedJob(one.title, one.reason, one.log) for one in found.failed),
        found.doubts,
        workers(place),
    )


def _standing(planned: PlannedJob, leased: set[str]) -> str:
    if planned.job.key in leased:
        return "running"
    return {"known": "done", "failed": "failed"}.get(planned.state, "to do")
