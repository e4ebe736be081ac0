"""Deciding: a study is run again with more networks until its claims are decided, and no longer.

Looks are judged at levels of their own (`studyspec.stats.looks`), so that looking often raises no
false alarms. How many looks there may be is fixed beforehand.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from studyspec.api.checking import CheckedStudy, check
from studyspec.api.courses import (
    Course,
    StudyLook,
    Until,
    begun,
    grow,
    judged_of,
    planned_for,
)
from studyspec.api.engines import equipped
from studyspec.api.planning import PlannedStudy
from studyspec.api.running import Finished, Listener, finish
from studyspec.api.workplace import HERE, Paths, Workplace, study_files
from studyspec.errors import BudgetOver, RunError
from studyspec.report.verdicts import tally
from studyspec.run.events import Summary
from studyspec.run.runner import Options
from studyspec.store.planned import write_plan
from studyspec.store.records import RecordIndex

UNITS: Mapping[str, float] = {"h": 3600, "min": 60, "s": 1}
BUDGET = re.compile(
    r"(?:(?P<h>\d+(?:\.\d+)?)h)?(?:(?P<min>\d+(?:\.\d+)?)min)?(?:(?P<s>\d+(?:\.\d+)?)s)?"
)


@dataclass(frozen=True)
class UntilDecided:
    """How it ended: the jobs, the last look at each study, and by its name why none came after."""

    summary: Summary
    looks: tuple[StudyLook, ...]
    reasons: Mapping[str, str]


OnLook = Callable[[StudyLook], None]
"""Told of every look."""


def seconds_of(budget: str) -> float:
    """A time as "1h", "90min" or "1h30min", in seconds.

    Raises
    ------
    RunError
        If it is none, or nothing.
    """
    parts = BUDGET.fullmatch(budget.replace(" ", ""))
    seconds = (
        sum(UNITS[unit] * float(n) for unit, n in parts.groupdict("0").items()) if parts else 0
    )
    if seconds <= 0:
        what = "is over before it begins" if parts and budget.strip() else "is no time"
        raise RunError(f"the budget '{budget}' {what}", hint="give it as 1h, 90min or 1h30min")
    return seconds


def run_until_decided(
    studies: Paths,
    profile: str | None = None,
    workplace: Workplace = HERE,
    options: Options | None = None,
    listener: Listener | None = None,
    until: Until | None = None,
    on_look: OnLook | None = None,
) -> UntilDecided:
    """Run studies, judge their claims, and repeat their folds while that may decide more.

    The same call goes on where an earlier one was stopped. Parameters as `run`, and `until` says
    how long, `on_look` is told of every look.

    Raises
    ------
    RunError
        If a study has no claims, or looks or budget are wrong.
    BudgetOver
        If the budget is over before the first look; what is done is kept.
    SpecError, CatalogError, FetchError, PluginError, KeyboardInterrupt
        As `run`.
    """
    files = study_files(studies)
    until = until or Until()
    options = equipped(options or Options(), [(path, profile) for path in files])
    if options.detach:
        raise RunError("nobody would judge a study that is left", hint="leave --detach out")
    if until.budget_s is not None:
        if until.budget_s <= 0:
            raise RunError(f"a budget of {until.budget_s:g} s is over before it begins")
        options = replace(options, deadline=time.monotonic() + until.budget_s)
    courses = [begun(check(path, profile, workplace), path, profile, until) for path in files]
    deciding = _Deciding(workplace, options, listener, on_look)
    deciding.go(courses)
    return UntilDecided(
        deciding.summary,
        tuple(course.found for course in courses if course.found is not None),
        {course.found.study: course.reason for course in courses if course.found is not None},
    )


class _Deciding:
    """Look after look, of all studies that go on."""

    def __init__(
        self,
        workplace: Workplace,
        options: Options,
        listener: Listener | None,
        on_look: OnLook | None,
    ) -> None:
        self._workplace, self._options = workplace, options
        self._listener, self._on_look = listener, on_look
        self._index: RecordIndex | None = None
        self.summary = Summary(0, 0, 0, 0.0)

    def go(self, courses: Sequence[Course]) -> None:
        """Until no study goes on."""
        while going := [course for course in courses if not course.reason]:
            try:
                finished = self._run(going)
            except BudgetOver:
                self._stop(going)
                return
            self._index, self.summary = finished.index, self.summary + finished.summary
            failed = finished.summary.failed + finished.summary.blocked > 0
            for course, planned in zip(going, finished.planned, strict=True):
                self._look(course, planned, failed)

    def _run(self, going: Sequence[Course]) -> Finished:
        by_path = {str(course.path): course for course in going}

        def planner(checked: CheckedStudy, index: RecordIndex) -> PlannedStudy:
            return planned_for(checked, index, by_path[str(checked.loaded.path)])

        deadline = self._options.deadline
        if deadline is not None and time.monotonic() > deadline:
            raise BudgetOver("the budget is over")
        files = [(course.path, course.profile) for course in going]
        return finish(files, self._workplace, self._options, self._listener, self._index, planner)

    def _look(self, course: Course, planned: PlannedStudy, failed: bool) -> None:
        """Judge a study, and say what its next look adds, or why there is none."""
        judged = judged_of(planned)
        outcomes = tuple(claim.verdict for claim in judged)
        name = planned.record.study
        found = StudyLook(name, course.number, course.looks, outcomes, tally(judged))
        course.found, course.planned = found, planned
        if self._on_look is not None:
            self._on_look(found)
        open_claims = [i for i, outcome in enumerate(outcomes) if outcome == "undecided"]
        if not open_claims:
            course.reason = "every claim is decided"
        elif failed:
            course.reason = "jobs failed"
        elif course.number == course.looks:
            course.reason = f"all {course.looks} planned looks were taken"
        else:
            grow(course, planned, open_claims)

    def _stop(self, going: Sequence[Course]) -> None:
        """The budget is over: the plan of the last whole look is the newest again."""
        for course in going:
            course.reason = "the budget is over"
            if course.planned is not None and self._index is not None:
                write_plan(self._index.results, course.planned.record.written(), self._index)
        lost = [str(course.path) for course in going if course.found is None]
        if lost:
            raise BudgetOver(
                "the budget is over before the first look ended",
                where=lost[0],
                hint="what is done is kept: the same command goes on from here",
            )
