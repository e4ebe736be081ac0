"""Planning: every job that a study implies, with its state and reason."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import get_args

from pydantic import ValidationError

from studyspec.api.checking import CheckedStudy, check
from studyspec.api.workplace import HERE, AnyPath, Workplace
from studyspec.jobs.stages import STAGES
from studyspec.plan.changes import Changes
from studyspec.plan.expansion import Expansion, expand_jobs
from studyspec.plan.record import PlannedTrial, PlanRecord, Question, plan_record
from studyspec.plan.states import Known, PlannedJob, State, judge
from studyspec.plan.trials import Searched, plan_search
from studyspec.store.planned import previous_plan
from studyspec.store.queries import stage_seconds
from studyspec.store.records import RecordIndex, lowest_loss

log = logging.getLogger(__name__)

STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True)
class PlannedStudy:
    """A study's plan: every job with its state, and the record that names them.

    `searching`: a search has not found its settings yet, and will ask for more jobs.
    """

    checked: CheckedStudy
    jobs: tuple[PlannedJob, ...]
    record: PlanRecord = field(repr=False)
    searching: bool = False

    def count(self, stage: str, state: str) -> int:
        """How many jobs of a stage are in a state."""
        return sum(p.job.stage == stage and p.state == state for p in self.jobs)

    @property
    def stages(self) -> Mapping[str, Mapping[State, int]]:
        """How many jobs of each stage are in each state; stages without jobs are left out."""
        counts = Counter((p.job.stage, p.state) for p in self.jobs)
        having = {stage for stage, _ in counts}
        return {s: {state: counts[s, state] for state in STATES} for s in STAGES if s in having}

    @property
    def to_do(self) -> Mapping[str, int]:
        """How many jobs of each stage a run would do, in its order; stages of none are left out."""
        counts = Counter(p.job.stage for p in self.jobs if p.to_do)
        return {stage: counts[stage] for stage in STAGES if counts[stage]}


def plan(study: AnyPath, profile: str | None = None, workplace: Workplace = HERE) -> PlannedStudy:
    """Every job that a study implies, with its state and reason; changes nothing.

    Parameters
    ----------
    study
        The study file.
    profile
        Profile of the file to merge over it.
    workplace
        Where results and fetched files are.

    Raises
    ------
    SpecError, CatalogError
        As `check`.
    StoreError
        If the results are of an earlier version.
    """
    return plan_checked(check(study, profile, workplace))


def plan_checked(checked: CheckedStudy, index: RecordIndex | None = None) -> PlannedStudy:
    """The plan of a study that has been checked; `index` is of the records of its results."""
    index = index or RecordIndex(checked.results)
    searched = _searched(checked, index)
    variants = checked.variants if searched is None else searched.variants
    measure, starts = checked.loaded.study.measure, checked.starts
    images = checked.datasets, checked.files
    expansion = expand_jobs(variants, *images, checked.networks, measure, starts)
    trials: tuple[PlannedTrial, ...] = ()
    if searched is not None:
        jobs = {job.key: job for job in (*searched.jobs, *expansion.jobs)}
        expansion, trials = replace(expansion, jobs=tuple(jobs.values())), searched.trials
    record = plan_record(_question(checked), variants, checked.datasets, expansion, trials)
    judged = _judged(expansion, record, index)
    searching = searched is not None and not searched.progress.finished
    return PlannedStudy(checked, judged, record, searching)


def estimate(planned: PlannedStudy) -> float | None:
    """Time that the jobs to do will take on one worker, from past ones of their stage [s].

    None if a stage to do has no past, or nothing is to do.
    """
    to_do = planned.to_do
    past = past_seconds(planned)
    if not to_do or any(stage not in past for stage in to_do):
        return None
    return sum(n * past[stage] for stage, n in to_do.items())


def past_seconds(planned: PlannedStudy) -> dict[str, float]:
    """How long a job of each stage took so far, as its results folder knows [s]."""
    return stage_seconds(planned.checked.results)


def _question(checked: CheckedStudy) -> Question:
    loaded = checked.loaded
    return Question(
        study=checked.name,
        question=loaded.study.study.question,
        profile=loaded.profile,
        spec=loaded.tables,
        source=loaded.source,
        file=loaded.file,
    )


def _judged(expansion: Expansion, record: PlanRecord, index: RecordIndex) -> tuple[PlannedJob, ...]:
    """Every job with its state: by what is recorded, and by the study's previous plan."""
    before = _previous(record, index)
    known = {k: Known(s.done, s.final_failure) for k, s in index.statuses().items()}
    changes = Changes(record, before)
    return judge(expansion.jobs, known, index.has_artifact, changes.reason)


def _previous(record: PlanRecord, index: RecordIndex) -> PlanRecord | None:
    """The plan before; None if there is none, or it is no plan: then nothing is told of changes."""
    before = previous_plan(index.results, record.study, record.profile, index)
    try:
        return None if before is None else PlanRecord.model_validate(before.plan)
    except ValidationError as error:
        what = str(error).splitlines()[0]
        log.warning("the plan %s cannot be read: %s", before.key if before else "", what)
        return None


def _searched(checked: CheckedStudy, index: RecordIndex) -> Searched | None:
    """How far the search of a study has come, if it has one."""
    study = checked.loaded.study
    if study.search is None:
        return None
    return plan_search(
        study.search,
        checked.variants,
        study.stage,
        checked.datasets,
        checked.files,
        lambda key: lowest_loss(index, key),
    )
