"""What came of a study's claims, and how far each cell is from its own set, for the page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import JsonValue

from studyspec.report.cells import CellResult, Cells, LessOwn
from studyspec.report.frames import StudyFrames
from studyspec.spec.claims import Claim
from studyspec.spec.derived import DICE
from studyspec.stats.claims import (
    FEWEST_MICROGRAPHS,
    Looked,
    Outcome,
    Verdict,
    judge_looks,
    number,
    percent,
)
from studyspec.stats.differences import contrast, lacking, mean_of
from studyspec.stats.looks import ONCE, Look, shares_of
from studyspec.stats.scores import FoldScore, ImageScore, Scores

if TYPE_CHECKING:
    from studyspec.plan.record import PlanRecord

KIND: Mapping[Outcome, str] = {
    "held": "held",
    "did not hold": "failed",
    "undecided": "undecided",
}
"""The class of a verdict in the page."""
WIDTH, MARGIN = 320, 24  # of the drawing of an interval [px]


@dataclass(frozen=True)
class Bound:
    """A bound of a claim: where it is drawn [px], and its number."""

    x: float
    text: str


@dataclass(frozen=True)
class IntervalDrawing:
    """Where the ends of an interval, its middle, zero and the bounds are drawn [px].

    `numbers` are estimate, lower and upper end themselves, `claimed` the bounds.
    """

    low: float
    high: float
    estimate: float
    zero: float
    bounds: tuple[Bound, ...]
    aria: str
    numbers: tuple[float, float, float] = (0.0, 0.0, 0.0)
    claimed: tuple[float, ...] = ()


@dataclass(frozen=True)
class LookedAt:
    """What one of several looks said of a prediction by itself, in words."""

    look: int
    networks: str
    estimate: str
    interval: str
    level: str
    verdict: Outcome


@dataclass(frozen=True)
class JudgedPart:
    """A prediction with its verdict; `looks` where it was judged several times."""

    verdict: Outcome
    reason: str
    drawing: IntervalDrawing | None = None
    looks: tuple[LookedAt, ...] = ()

    @property
    def kind(self) -> str:
        """The class of the verdict in the page."""
        return KIND[self.verdict]


@dataclass(frozen=True)
class JudgedClaim(JudgedPart):
    """A claim with its verdict, and those of its predictions if it has several.

    `note` says which part, or which correction for several claims, made the verdict of the whole.
    """

    says: str = ""
    parts: tuple[JudgedPart, ...] = ()
    note: str = ""
    family: str = ""


def scores_of(frames: StudyFrames, cells: Cells) -> Scores:
    """The scores of a study as claims are judged on them."""
    plan = frames.plan
    micrographs = {
        image: None if row.get("micrograph") is None else str(row["micrograph"])
        for image, row in plan.images.items()
    }
    return Scores(
        folds=[FoldScore(row.name, row.fold, row.metrics) for row in frames.folds.rows],
        images=[
            ImageScore(
                row.name,
                row.fold,
                row.metrics,
                row.image_id,
                row.n_patches,
                micrographs[row.image_id],
            )
            for row in frames.images.rows
        ],
        absent={cell.name: cell.state.why for cell in cells if cell.state.state != "done"},
        variants=plan.variants,
        columns={name: columns_of(plan, name) for name in plan.datasets},
    )


def with_differences(cells: Cells, scores: Scores) -> Cells:
    """The cells with intervals, each with its dice less that of its own set, where complete."""
    return [
        replace(cell, less_own=_less_own(cell, scores), intervals=_intervals(cell, scores))
        for cell in cells
    ]


def claims(frames: StudyFrames, scores: Scores) -> list[JudgedClaim]:
    """Every claim of the study with its verdict, of all looks that were taken."""
    written = frames.plan.spec.get("claims")
    said = [_claim(one) for one in written] if isinstance(written, list) else []
    judged = judge_looks(said, looks_at(frames.plan, scores))
    return [_judged(claim, looked) for claim, looked in zip(said, judged, strict=True)]


def looks_at(plan: PlanRecord, scores: Scores) -> list[tuple[Look, Scores]]:
    """Every look that was taken, with the scores that there were: those of the first networks."""
    looks = plan.looks
    if looks is None:
        return [(ONCE, scores)]
    shares = shares_of(min(looks.repeats.values(), default=1), looks.planned)
    return [
        (Look(number, shares), scores.upto(looks.networks(number)))
        for number in range(1, looks.taken + 1)
    ]


def _judged(claim: Claim, looked: Looked) -> JudgedClaim:
    verdict = looked.verdict
    return JudgedClaim(
        verdict.outcome,
        verdict.reason,
        _drawing(verdict),
        () if verdict.parts else _looks(looked.alone),
        claim.says,
        tuple(
            JudgedPart(
                part.outcome,
                part.reason,
                _drawing(part),
                _looks([one.parts[i] for one in looked.alone]),
            )
            for i, part in enumerate(verdict.parts)
        ),
        verdict.note if verdict.parts else "",
        claim.family or "",
    )


def _looks(alone: Sequence[Verdict]) -> tuple[LookedAt, ...]:
    """What each look said, if there was more than one."""
    if len(alone) < 2:
        return ()
    return tuple(_looked_at(verdict) for verdict in alone)


def _looked_at(verdict: Verdict) -> LookedAt:
    look, found, interval = verdict.look, verdict.difference, verdict.interval
    return LookedAt(
        look.number,
        "–" if found is None else str(found.folds),
        "–" if found is None else number(found.value),
        "–" if interval is None else f"{number(interval[0])} to {number(interval[1])}",
        percent(look.level(verdict.sides)),
        verdict.outcome,
    )


def tally(judged: Sequence[JudgedClaim]) -> str:
    """As "2 of 3 claims held, 1 undecided."."""
    if not judged:
        return ""
    counts = {outcome: sum(one.verdict == outcome for one in judged) for outcome in KIND}
    rest = [f"{n} {outcome}" for outcome, n in counts.items() if n and outcome != "held"]
    return ", ".join([f"{counts['held']} of {len(judged)} claims held", *rest]) + "."


def told_families(judged: Sequence[JudgedClaim]) -> str:
    """Which claims are one family, if there are several: "... (Holm): 3 claims"."""
    if len(judged) < 2:
        return ""
    counts = Counter(one.family for one in judged)
    named = [f"{n} claim{'s' * (n > 1)} of the family {name}" for name, n in counts.items() if name]
    rest = counts[""]
    if rest:
        named.append(f"{rest} {'other ' * bool(named)}claim{'s' * (rest > 1)}")
    return f"Families of claims that share 5 % of false alarms (Holm): {', '.join(named)}."


def told_looks(plan: PlanRecord) -> str:
    """How often the study was judged, if it may be several times."""
    looks = plan.looks
    if looks is None:
        return ""
    return (
        f"Judged at {looks.taken} of {looks.planned} planned looks, each with another repeat of "
        "the folds. The levels of all looks share 5 % of false alarms (alpha spending with the "
        "shape of O'Brien and Fleming: Lan and DeMets 1983). What was decided at a look stays so."
    )


def _claim(written: JsonValue) -> Claim:
    """A claim from its JSON, where what was not written stands as null or empty."""
    told = written if isinstance(written, dict) else {}
    return Claim.model_validate({k: v for k, v in told.items() if v not in (None, [])})


def _drawing(verdict: Verdict) -> IntervalDrawing | None:
    """The drawing of an interval; None without one."""
    if verdict.difference is None or verdict.interval is None:
        return None
    (low, high), value = verdict.interval, verdict.difference.value
    bounds = [bound for bound in verdict.bounds if math.isfinite(bound)]
    points = [low, high, 0.0, *bounds]
    start, span = min(points), (max(points) - min(points)) or 1.0

    def place(x: float) -> float:
        return round(MARGIN + (WIDTH - 2 * MARGIN) * (x - start) / span, 1)

    return IntervalDrawing(
        low=place(low),
        high=place(high),
        estimate=place(value),
        zero=place(0.0),
        bounds=tuple(Bound(place(b), f"{b:g}".replace("-", "−")) for b in bounds if b),
        aria=f"{number(value)}, {_known(verdict.sides)} {number(low)} to {number(high)}",
        numbers=(value, low, high),
        claimed=tuple(bounds),
    )


def _known(sides: int) -> str:
    return "one-sided bounds" if sides == 1 else "interval"


def _intervals(cell: CellResult, scores: Scores) -> dict[str, tuple[float, float]]:
    """The interval of the mean of each metric that the cell has."""
    found = {}
    for metric in () if cell.scores is None else cell.scores.means:
        pieces = mean_of([cell.name], metric)
        if lacking(scores, pieces):
            continue
        mean = contrast(scores, pieces)
        if mean.micrographs >= FEWEST_MICROGRAPHS:
            found[metric] = (mean.low, mean.high)
    return found


def _less_own(cell: CellResult, scores: Scores) -> LessOwn | None:
    own = scores.own_set(cell.name)
    if own is None or own == cell.name:
        return None
    pieces = [*mean_of([cell.name], DICE), *mean_of([own], DICE, -1)]
    if lacking(scores, pieces):
        return None
    found = contrast(scores, pieces)
    if found.micrographs < FEWEST_MICROGRAPHS:
        return LessOwn(found.value, found.micrographs)
    return LessOwn(found.value, found.micrographs, found.low, found.high)


def columns_of(plan: PlanRecord, dataset: str) -> dict[str, float]:
    """The mean of every numeric catalog column over the images of a dataset."""
    rows = [plan.images[image] for image in plan.datasets[dataset].images]
    means = {}
    for column in rows[0] if rows else ():
        values = [row.get(column) for row in rows]
        numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
        if len(numbers) == len(values):
            means[column] = sum(map(float, numbers)) / len(numbers)
    return means
