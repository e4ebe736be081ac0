"""Deciding: a study is run again with more networks until its claims are decided, and no longer.

Each look adds one repeat of the folds to the variants whose networks narrow an undecided claim.
Looks are judged at levels of their own (`studyspec.stats.looks`), so that looking often raises no
false alarms. How many looks there may be is fixed beforehand.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from studyspec.api.checking import CheckedStudy, check
from studyspec.api.planning import PlannedStudy, plan_checked
from studyspec.api.power import prospect
from studyspec.api.running import Finished, Listener, finish
from studyspec.api.workplace import HERE, AnyPath, Paths, Workplace, study_files
from studyspec.errors import BudgetOver, RunError
from studyspec.plan.record import PlannedLooks
from studyspec.report.cells import merged_cells
from studyspec.report.reading import read
from studyspec.report.verdicts import JudgedClaim, claims, scores_of, tally
from studyspec.run import runner
from studyspec.run.events import Summary
from studyspec.run.runner import Options
from studyspec.spec.sections import CrossValidationSettings
from studyspec.spec.starts import start_of
from studyspec.spec.variants import Variant
from studyspec.stats.power import named_variants, narrowed
from studyspec.store.planned import previous_plan, write_plan
from studyspec.store.records import RecordIndex
from studyspec.store.snapshot import snapshot

LOOKS = 5
FEWEST_LOOKS, MOST_LOOKS = 2, 10
MOST_REPEATS = 100
WORTH = 0.95
"""More networks are worth it if all that may come leave less than this of a half-width."""
UNITS: Mapping[str, float] = {"h": 3600, "min": 60, "s": 1}
BUDGET = re.compile(
    r"(?:(?P<h>\d+(?:\.\d+)?)h)?(?:(?P<min>\d+(?:\.\d+)?)min)?(?:(?P<s>\d+(?:\.\d+)?)s)?"
)


@dataclass(frozen=True)
class StudyLook:
    """What a look at a study found.

    Attributes
    ----------
    study
        Its name.
    number, planned
        Which look it was, from 1, and how many there may be.
    outcomes
        The verdict on each claim.
    text
        As "2 of 3 claims held, 1 undecided."
    """

    study: str
    number: int
    planned: int
    outcomes: tuple[str, ...]
    text: str

    @property
    def undecided(self) -> int:
        """How many claims are."""
        return self.outcomes.count("undecided")


@dataclass(frozen=True)
class UntilDecided:
    """How it ended: the jobs, the last look at each study, and by its name why none came after."""

    summary: Summary
    looks: tuple[StudyLook, ...]
    reasons: Mapping[str, str]


OnLook = Callable[[StudyLook], None]
"""Told of every look."""


@dataclass(frozen=True)
class Until:
    """How long to go on.

    Parameters
    ----------
    budget_s
        Time in all [s]; None: no end.
    looks
        How many looks are planned; None: as when the study was begun, else 5.
    """

    budget_s: float | None = None
    looks: int | None = None


@dataclass
class _Course:
    """How far a study is: what its variants got beyond the file, and what was found."""

    path: AnyPath
    profile: str | None
    looks: int
    number: int = 1
    extra: dict[str, int] = field(default_factory=dict)
    given_up: set[int] = field(default_factory=set)
    planned: PlannedStudy | None = None
    found: StudyLook | None = None
    reason: str = ""


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
    until, options = until or Until(), options or Options()
    runner.engine_of(options)
    if until.budget_s is not None:
        if until.budget_s <= 0:
            raise RunError(f"a budget of {until.budget_s:g} s is over before it begins")
        options = replace(options, deadline=time.monotonic() + until.budget_s)
    files = study_files(studies)
    courses = [_begun(check(path, profile, workplace), path, profile, until) for path in files]
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

    def go(self, courses: Sequence[_Course]) -> None:
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

    def _run(self, going: Sequence[_Course]) -> Finished:
        by_path = {str(course.path): course for course in going}

        def planner(checked: CheckedStudy, index: RecordIndex) -> PlannedStudy:
            return _planned(checked, index, by_path[str(checked.loaded.path)])

        deadline = self._options.deadline
        if deadline is not None and time.monotonic() > deadline:
            raise BudgetOver("the budget is over")
        files = [(course.path, course.profile) for course in going]
        return finish(files, self._workplace, self._options, self._listener, self._index, planner)

    def _look(self, course: _Course, planned: PlannedStudy, failed: bool) -> None:
        """Judge a study, and say what its next look adds, or why there is none."""
        judged = _judged(planned)
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
            _grow(course, planned, open_claims)

    def _stop(self, going: Sequence[_Course]) -> None:
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


def _begun(checked: CheckedStudy, path: AnyPath, profile: str | None, until: Until) -> _Course:
    """A study before its first look; refused if it cannot be looked at so often."""
    where = str(path)
    if not checked.loaded.study.claims:
        hint = "state [[claims]], or run it without --until-decided"
        raise RunError("the study has no claims to decide", where=where, hint=hint)
    before = previous_plan(checked.results, checked.name, checked.profile)
    recorded = None if before is None else before.plan.get("looks")
    known = None if recorded is None else PlannedLooks.model_validate(recorded).planned
    looks = until.looks or known or LOOKS
    if known is not None and looks != known:
        what = f"{known} looks were planned when the study was begun, not {looks}"
        raise RunError(what, where=where, hint="levels hold for the number that was planned")
    repeats = [variant.settings.cross_validation.repeats for variant in checked.variants]
    if not FEWEST_LOOKS <= looks <= min(MOST_LOOKS, MOST_REPEATS - max(repeats, default=1) + 1):
        what = f"expected {FEWEST_LOOKS} to {MOST_LOOKS} looks, got {looks}"
        raise RunError(what, where=where)
    return _Course(path, profile, looks)


def _planned(checked: CheckedStudy, index: RecordIndex, course: _Course) -> PlannedStudy:
    """The plan of a study for its present look, which its record tells."""
    loaded = checked.loaded
    variants = tuple(_repeated(one, course.extra.get(one.name, 0)) for one in checked.variants)
    search = loaded.study.search
    plain = search.variant if search else checked.variants[0].name
    cross = _more(loaded.study.cross_validation, course.extra.get(plain, 0))
    study = loaded.study.model_copy(update={"cross_validation": cross})
    more = replace(checked, loaded=replace(loaded, study=study, variants=variants))
    planned = plan_checked(more, index)
    at = {one.name: one.settings.cross_validation for one in checked.variants}
    looks = PlannedLooks(
        planned=course.looks,
        taken=course.number,
        repeats={name: cross.repeats for name, cross in at.items()},
        folds={name: cross.folds for name, cross in at.items()},
    )
    return replace(planned, record=planned.record.model_copy(update={"looks": looks}))


def _repeated(variant: Variant, extra: int) -> Variant:
    """A variant with more repeats than its file says."""
    cross = _more(variant.settings.cross_validation, extra)
    settings = variant.settings.model_copy(update={"cross_validation": cross})
    return replace(variant, settings=settings)


def _more(cross: CrossValidationSettings, extra: int) -> CrossValidationSettings:
    return cross.model_copy(update={"repeats": cross.repeats + extra})


def _judged(planned: PlannedStudy) -> list[JudgedClaim]:
    """The claims of the study's newest plan, which is this one, as its report has them."""
    results, record = planned.checked.results, planned.record
    with snapshot(results) as now:
        frames = read(results, now, record.study, record.profile)
    return claims(frames, scores_of(frames, merged_cells(frames)))


def _grow(course: _Course, planned: PlannedStudy, undecided: Sequence[int]) -> None:
    """Give another repeat to the variants whose networks narrow an undecided claim.

    A claim that all networks that may come would hardly narrow is given up for good: what is known
    of it must not become more after it has become less, or levels do not hold.
    """
    said, known = planned.checked.loaded.study.claims, prospect(planned)
    repeats = min(one.settings.cross_validation.repeats for one in planned.checked.variants)
    factor = (repeats + course.looks - course.number) / repeats
    going = [i for i in undecided if i not in course.given_up]
    left = {i: narrowed(said[i], known, factor) for i in going}
    course.given_up |= {i for i, share in left.items() if share > WORTH}
    asked: set[str] = set()
    for i in set(going) - course.given_up:
        asked |= named_variants(said[i], known.planned)
    if not asked:
        course.reason = (
            "more networks would not narrow what is undecided; "
            "`studyspec plan --power` says what micrographs would do"
        )
        return
    course.number += 1
    for name in _with_origins(asked, planned.checked.variants):
        course.extra[name] = course.extra.get(name, 0) + 1


def _with_origins(names: Iterable[str], variants: Sequence[Variant]) -> set[str]:
    """These variants, with those that they start from and that start from them."""
    pairs = [
        (one.name, start.variant)
        for one in variants
        if (start := start_of(one.settings)) is not None and start.train is not None
    ]
    found, before = set(names), 0
    while len(found) > before:
        before = len(found)
        for pair in pairs:
            if found & set(pair):
                found |= set(pair)
    return found
