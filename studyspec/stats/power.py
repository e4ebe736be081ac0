"""Power: how sharp the answer to a claim will be, and what would make it sharp enough.

Scores are drawn for the cells of the claim with variances that are known or typical, and judged as
real ones are: so whatever the judging pairs is in the answer. Each prediction counts alone, before
Holm's correction for its family.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from studyspec.spec.claims import Claim, Prediction, Selector
from studyspec.stats.choices import abscissa
from studyspec.stats.claims import FEWEST_MICROGRAPHS, bounds_of, difference_of, sides_of
from studyspec.stats.components import Components, Design, drawn
from studyspec.stats.quantities import of_cell
from studyspec.stats.scores import CellName, Scores

DRAWS = 9
RESERVE = 1.5
"""By how much a half-width must be below the distance to a bound to be decided in 80 % of runs:
(1.645 + 0.842) / 1.645."""
DISTANCE = 0.05
"""How far the truth is from a bound of zero, where nothing is known of it; of a trend, over all of
its reach. From another bound it is as far as zero is."""
MORE = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)


@dataclass(frozen=True)
class Expected:
    """What is to be expected of one prediction of a claim.

    Attributes
    ----------
    says, part
        The claim, and the number of the prediction in it.
    half_width
        Of the 95 % interval, or the distance of the one-sided 95 % bound; NaN with a `reason`.
    distance
        How far the truth is from the nearest bound; `measured` if past scores say so, else assumed.
    micrographs, folds
        The fewest of any test set, and the networks of each training set.
    needed_micrographs, needed_folds
        How many of either alone would decide the claim in 80 % of runs; None if eight times as many
        would not.
    needed_both
        How many of both together would, if either alone would not.
    """

    says: str
    part: int
    half_width: float
    distance: float
    measured: bool
    micrographs: int
    folds: int
    needed_micrographs: int | None
    needed_folds: int | None
    needed_both: tuple[int, int] | None = None
    reason: str = ""

    @property
    def decided(self) -> bool:
        """Whether the study as planned decides the claim in 80 % of runs."""
        return self.half_width * RESERVE <= self.distance


@dataclass(frozen=True)
class Prospect:
    """What is known before a run.

    Attributes
    ----------
    planned
        The study without scores: its cells (absent ones), variants and columns.
    past
        The scores that there are already.
    design
        Folds and micrographs.
    components
        The variances of a metric.
    """

    planned: Scores
    past: Scores
    design: Design
    components: Callable[[str], Components]


def expect(claims: Sequence[Claim], prospect: Prospect) -> list[Expected]:
    """What is to be expected of every prediction of every claim."""
    return [
        _expect(claim.says, part, prediction, prospect)
        for claim in claims
        for part, prediction in enumerate(claim.predictions, 1)
    ]


def narrowed(claim: Claim, prospect: Prospect, folds: float) -> float:
    """What is left of the half-width of a claim with so many times the networks, as a share.

    Of that of its predictions which is narrowed most; 1 if more networks decide nothing.
    """
    return min(_narrowed(prediction, prospect, folds) for prediction in claim.predictions)


def named_variants(claim: Claim, planned: Scores) -> frozenset[str]:
    """The variants whose networks a claim needs."""
    return frozenset(
        name.variant for prediction in claim.predictions for name in _cells(prediction, planned)
    )


def _narrowed(prediction: Prediction, prospect: Prospect, folds: float) -> float:
    names, design = _cells(prediction, prospect.planned), prospect.design
    fewest = min((design.micrographs[name.test] for name in names), default=0)
    settings = any(side.take == "setting" for side in prediction.sides.values())
    if settings or fewest < FEWEST_MICROGRAPHS:
        return 1.0
    now = _half_width(prediction, names, prospect, design)
    later = _half_width(prediction, names, prospect, design.larger(folds=folds))
    if isinstance(now, str) or isinstance(later, str) or now == 0:
        return 1.0
    return later / now


def _expect(says: str, part: int, prediction: Prediction, prospect: Prospect) -> Expected:
    distance, measured = _distance(prediction, prospect)
    names = _cells(prediction, prospect.planned)
    design = prospect.design
    tests = {name.test for name in names}
    n = min((design.micrographs[test] for test in tests), default=0)
    told = Expected(says, part, math.nan, distance, measured, n, design.folds, None, None)
    if any(side.take == "setting" for side in prediction.sides.values()):
        return replace(told, reason="a best setting has no half-width")
    width = _half_width(prediction, names, prospect, design)
    if isinstance(width, str):
        return replace(told, reason=width)

    def decides(larger: Design) -> bool:
        found = _half_width(prediction, names, prospect, larger)
        return not isinstance(found, str) and found * RESERVE <= distance

    images = _least(lambda more: decides(design.larger(micrographs=more)))
    folds = _least(lambda more: decides(design.larger(folds=more)))
    both = None
    if images is None and folds is None:
        both = _least(lambda more: decides(design.larger(more, more)))
    return replace(
        told,
        half_width=width,
        needed_micrographs=None if images is None else round(images * n),
        needed_folds=None if folds is None else round(folds * design.folds),
        needed_both=None if both is None else (round(both * n), round(both * design.folds)),
    )


def _least(decides: Callable[[float], bool]) -> float | None:
    """The least factor of `MORE` that decides, by bisection; None if the largest does not."""
    if not decides(MORE[-1]):
        return None
    low, high = -1, len(MORE) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(MORE[middle]) else (middle, high)
    return MORE[high]


def _distance(prediction: Prediction, prospect: Prospect) -> tuple[float, bool]:
    """How far the truth is from the nearest bound, and whether past scores say so."""
    bounds = [bound for bound in bounds_of(prediction) if math.isfinite(bound)]
    found, _ = difference_of(prediction, prospect.past)
    if not isinstance(found, str):
        return min(abs(found.value - bound) for bound in bounds), True
    return min(abs(bound) for bound in bounds) or DISTANCE / _reach(prediction, prospect), False


def _reach(prediction: Prediction, prospect: Prospect) -> float:
    """How far what a trend is over reaches; 1 without a trend."""
    trend, side = prediction.trend, prediction.left
    if trend is None or side is None:
        return 1.0
    planned = prospect.planned
    at = [abscissa(trend, name, planned) for name in planned.chosen(side)]
    known = [x for x in at if x is not None]
    return (max(known) - min(known) if known else 0.0) or 1.0


def _half_width(
    prediction: Prediction, names: Sequence[CellName], prospect: Prospect, design: Design
) -> float | str:
    """The median half-width of some draws, or why there is none."""
    metrics = [_plain(side.metric) for side in prediction.sides.values()]
    size = prospect.components(metrics[0]), design
    widths = []
    for seed in range(DRAWS):
        made = drawn(names, metrics, size, seed)
        planned = prospect.planned
        made = replace(made, variants=planned.variants, columns=planned.columns)
        found, _ = difference_of(prediction, made)
        if isinstance(found, str):
            return found
        low, high = found.bounds(sides_of(prediction))
        widths.append((high - low) / 2)
    return float(np.median(widths))


def _plain(metric: str) -> str:
    """The metric that a quantity is made of."""
    name = CellName("", "", "")
    return of_cell(metric).parts(_NOTHING, name)[0].metric


def _cells(prediction: Prediction, planned: Scores) -> list[CellName]:
    """The cells that a prediction needs: those it names, their own sets, and other splits."""
    found: dict[CellName, None] = {}
    for side in prediction.sides.values():
        for name in planned.chosen(side):
            found |= dict.fromkeys(_with_parts(name, side, planned))
    return [name for name in found if name in planned.known]


def _with_parts(name: CellName, side: Selector, planned: Scores) -> list[CellName]:
    return [name, *(part.name for part in of_cell(side.metric).parts(planned, name))]


_NOTHING = Scores([], [])
