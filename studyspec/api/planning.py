"""Planning: every job that a study implies, with its state and reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studyspec.api.checking import CheckedStudy, check
from studyspec.api.workplace import HERE, Workplace
from studyspec.plan.changes import Changes
from studyspec.plan.expansion import Expansion, expand_jobs
from studyspec.plan.record import Question, plan_record
from studyspec.plan.states import Known, PlannedJob, judge

if TYPE_CHECKING:
    from studyspec.plan.trials import Searched
    from studyspec.store.records import RecordIndex


@dataclass(frozen=True)
class PlannedStudy:
    """A study's plan: every job with its state, and the record that names them."""

    checked: CheckedStudy
    expansion: Expansion
    jobs: tuple[PlannedJob, ...]
    record: Mapping[str, Any] = field(repr=False)
    searching: bool = False

    def count(self, stage: str, state: str) -> int:
        """How many jobs of a stage are in a state."""
        return sum(p.job.stage == stage and p.state == state for p in self.jobs)


def plan(study: Path, profile: str | None = None, workplace: Workplace = HERE) -> PlannedStudy:
    """Every job that a study implies, with its state and reason; changes nothing."""
    return plan_checked(check(study, profile, workplace))


def plan_checked(checked: CheckedStudy) -> PlannedStudy:
    """The plan of a study that has been checked."""
    from studyspec.store.planned import previous_plan
    from studyspec.store.records import RecordIndex

    loaded, header = checked.loaded, checked.loaded.study.study
    index = RecordIndex(checked.results)
    searched = _searched(checked, index)
    variants = checked.variants if searched is None else searched.variants
    expansion = expand_jobs(
        variants, checked.datasets, checked.files, checked.networks, loaded.study.measure
    )
    trials: tuple[Mapping[str, Any], ...] = ()
    if searched is not None:
        jobs = {job.key: job for job in (*searched.jobs, *expansion.jobs)}
        expansion, trials = replace(expansion, jobs=tuple(jobs.values())), searched.trials
    spec = loaded.study.model_dump(mode="json", by_alias=True)
    question = Question(header.name, header.question, loaded.profile, spec, loaded.source)
    record = plan_record(question, variants, checked.datasets, expansion, trials)
    before = previous_plan(checked.results, header.name, loaded.profile, index)
    known = {k: Known(s.done, s.final_failure) for k, s in index.statuses().items()}
    changes = Changes(record, expansion, before)
    judged = judge(expansion.jobs, known, index.has_artifact, changes.reason)
    searching = searched is not None and not searched.progress.finished
    return PlannedStudy(checked, expansion, judged, record, searching)


def _searched(checked: CheckedStudy, index: RecordIndex) -> Searched | None:
    """How far the search of a study has come, if it has one."""
    from studyspec.plan.trials import plan_search
    from studyspec.store.records import lowest_loss

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


def estimate(planned: PlannedStudy) -> float | None:
    """Time that the jobs to do will take on one worker, from past ones of their stage [s].

    None if a stage to do has no past, or nothing is to do.
    """
    from studyspec.store.queries import stage_seconds

    to_do = Counter(p.job.stage for p in planned.jobs if p.to_do)
    past = stage_seconds(planned.checked.results)
    if not to_do or any(stage not in past for stage in to_do):
        return None
    return sum(n * past[stage] for stage, n in to_do.items())
