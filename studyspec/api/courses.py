"""Courses: how far a study is that is run until it is decided, and what its next look adds.

Each look adds one repeat of the folds to the variants whose networks narrow an undecided claim.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from studyspec.api.checking import CheckedStudy
from studyspec.api.planning import PlannedStudy, plan_checked
from studyspec.api.power import prospect
from studyspec.api.workplace import AnyPath
from studyspec.errors import RunError
from studyspec.plan.record import PlannedLooks
from studyspec.report.cells import merged_cells
from studyspec.report.reading import read
from studyspec.report.verdicts import JudgedClaim, claims, scores_of
from studyspec.spec.sections import CrossValidationSettings
from studyspec.spec.starts import start_of
from studyspec.spec.variants import Variant
from studyspec.stats.power import named_variants, narrowed
from studyspec.store.planned import previous_plan
from studyspec.store.records import RecordIndex
from studyspec.store.snapshot import snapshot

LOOKS = 5
FEWEST_LOOKS, MOST_LOOKS = 2, 10
MOST_REPEATS = 100
WORTH = 0.95
"""More networks are worth it if all that may come leave less than this of a half-width."""


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
class Course:
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


def begun(checked: CheckedStudy, path: AnyPath, profile: str | None, until: Until) -> Course:
    """A study before its first look; refused if it cannot be looked at so often."""
    where = str(path)
    if not checked.loaded.study.claims:
        hint = "state [[claims]], or run it without --until-decided"
        raise RunError("the study has no claims to decide", where=where, hint=hint)
    before = previous_plan(checked.results, checked.name, checked.profile)
    recorded = None if before is None else before.plan.get("looks")
    known = None if recorded is None else PlannedLooks.model_validate(recorded).planned
    looks = (known or LOOKS) if until.looks is None else until.looks
    if known is not None and looks != known:
        what = f"{known} looks were planned when the study was begun, not {looks}"
        raise RunError(what, where=where, hint="levels hold for the number that was planned")
    repeats = [variant.settings.cross_validation.repeats for variant in checked.variants]
    if not FEWEST_LOOKS <= looks <= min(MOST_LOOKS, MOST_REPEATS - max(repeats, default=1) + 1):
        what = f"expected {FEWEST_LOOKS} to {MOST_LOOKS} looks, got {looks}"
        raise RunError(what, where=where)
    return Course(path, profile, looks)


def planned_for(checked: CheckedStudy, index: RecordIndex, course: Course) -> PlannedStudy:
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


def judged_of(planned: PlannedStudy) -> list[JudgedClaim]:
    """The claims of the study's newest plan, which is this one, as its report has them."""
    results, record = planned.checked.results, planned.record
    with snapshot(results) as now:
        frames = read(results, now, record.study, record.profile)
    return claims(frames, scores_of(frames, merged_cells(frames)))


def grow(course: Course, planned: PlannedStudy, undecided: Sequence[int]) -> None:
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
