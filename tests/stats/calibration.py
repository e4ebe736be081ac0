"""Calibration: how often intervals and claims are wrong, on scores drawn with known differences.

Every kind of contrast is judged by the package itself, as a claim on a study is. The variances are
typical of networks of this kind on twin images: mean dice over small patches, and pixel dice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import NamedTuple

import numpy as np

from studyspec.stats.contrasts import Indices, WeightedCell, variance_sum_t
from studyspec.stats.differences import Piece, best_contrast
from studyspec.stats.intervals import BestOf, Estimate, Floats, two_sided_level
from studyspec.stats.looks import Look
from studyspec.stats.scores import CellName
from studyspec.stats.selection import select
from tests.stats.made_up import Noise, scores, sees, tables

LEVELS: Mapping[str, Noise] = {
    "dice": Noise(difficulty=0.13, liking=0.03, network=0.03, rest=0.043),
    "dice_micro": Noise(difficulty=0.06, liking=0.015, network=0.02, rest=0.033),
}
SWEEP = tuple(f"noisy[rho={x}]" for x in range(4))


@dataclass(frozen=True)
class Kind:
    """A kind of contrast: cells and weights, all of the same true score; its truth is nothing.

    `noise` says what differs from the typical variances, `best` that the left side is the best of a
    sweep.
    """

    name: str
    weights: Mapping[tuple[str, str, str], float]
    noise: Callable[[Noise], Noise] = lambda noise: noise
    best: bool = False

    @property
    def cells(self) -> list[CellName]:
        """Its cells."""
        return [CellName(*cell) for cell in self.weights]


def _correlated(r: float) -> Callable[[Noise], Noise]:
    return lambda noise: replace(noise, correlation=r)


VARIANT_OFF = {("v", "A", "T"): 1.0, ("base", "A", "T"): -1.0}
VARIANT_OWN = {("v", "T", "T"): 1.0, ("base", "T", "T"): -1.0}
KINDS: Sequence[Kind] = (
    Kind("two training sets, one test set", {("base", "A", "T"): 1.0, ("base", "B", "T"): -1.0}),
    Kind("against the own set", {("base", "A", "T"): 1.0, ("base", "T", "T"): -1.0}),
    Kind("two own sets", {("base", "T", "T"): 1.0, ("base", "U", "U"): -1.0}),
    Kind("one training set, two test sets", {("base", "A", "T"): 1.0, ("base", "A", "U"): -1.0}),
    Kind("own less other test set", {("base", "T", "T"): 1.0, ("base", "T", "U"): -1.0}),
    Kind("there less back", {("base", "T", "U"): 1.0, ("base", "U", "T"): -1.0}),
    Kind("variants, r = -0.5", VARIANT_OFF, _correlated(-0.5)),
    Kind("variants, r = 0", VARIANT_OFF),
    Kind("variants, r = 0.5", VARIANT_OFF, _correlated(0.5)),
    Kind("variants on own set, r = -0.5", VARIANT_OWN, _correlated(-0.5)),
    Kind("variants on own set, r = 0", VARIANT_OWN),
    Kind("variants on own set, r = 0.5", VARIANT_OWN, _correlated(0.5)),
    Kind(
        "variants on two own sets",
        {
            ("v", "T", "T"): 0.5,
            ("v", "U", "U"): 0.5,
            ("base", "T", "T"): -0.5,
            ("base", "U", "U"): -0.5,
        },
        _correlated(0.5),
    ),
    Kind(
        "others less own sets, 3 x 3",
        {
            ("base", a, b): -1 / 3 if a == b else 1 / 6
            for a in ("A", "B", "C")
            for b in ("A", "B", "C")
        },
    ),
    Kind(
        "trend over four test sets",
        {("base", "A", f"T{x}"): (x - 1.5) / 5 for x in range(4)},
    ),
    Kind(
        "trend over a sweep",
        {(variant, "A", "T"): (x - 1.5) / 5 for x, variant in enumerate(SWEEP)},
    ),
    Kind(
        "best of a sweep less base",
        dict.fromkeys([(variant, "A", "T") for variant in SWEEP], 1.0) | {("base", "A", "T"): -1.0},
        best=True,
    ),
)


class Rates(NamedTuple):
    """What was found in many draws: shares of errors, and the mean of estimates.

    `two_sided` is the share of 95 % intervals that miss the truth, `above` and `below` those of
    one-sided 95 % bounds that lie beyond it.
    """

    two_sided: float
    above: float
    below: float
    bias: float
    width: float
    draws: int

    @property
    def coverage(self) -> float:
        """The share of intervals that hold the truth."""
        return 1 - self.two_sided

    def error(self, share: float) -> float:
        """The Monte Carlo standard error of a share."""
        return sqrt(max(share * (1 - share), 1e-12) / self.draws)


def rates(kind: Kind, noise: Noise, draws: int, seed: int = 0) -> Rates:
    """Draw a study many times, and count."""
    drawn, found = kind.noise(noise), []
    designs = {name: design(name, drawn) for name in kind.cells}
    for i in range(draws):
        random = np.random.default_rng([seed, i])
        estimate = _best(kind, drawn, i) if kind.best else _plain(kind, drawn, designs, random)
        low, high = estimate.interval(two_sided_level(1))
        least, most = estimate.interval()
        outside = not least <= 0 <= most
        found.append((outside, low > 0, high < 0, estimate.value, most - least))
    return Rates._make([*(sum(column) / draws for column in zip(*found, strict=True)), draws])


class LookRates(NamedTuple):
    """Shares of studies that were wrong at any of several looks.

    `two_sided`, `above` and `below` as those of `Rates`, at the levels of the looks; `careless` is
    that of 95 % intervals at every look, `last` that of the 95 % interval at the last look alone.
    """

    two_sided: float
    above: float
    below: float
    careless: float
    last: float


def look_rates(kind: Kind, noise: Noise, looks: int, draws: int, seed: int = 0) -> LookRates:
    """Draw a study whose folds are repeated once more at each look, many times, and count."""
    drawn = kind.noise(noise)
    designs = {name: design(name, drawn, looks) for name in kind.cells}
    shares = tuple((k + 1) / looks for k in range(looks))
    at = [Look(k + 1, shares) for k in range(looks)]
    more = replace(drawn, folds=looks * drawn.folds)
    found = []
    for i in range(draws):
        cells = _cells(kind, more, designs, np.random.default_rng([seed, i]))
        wrong = [
            _wrong(variance_sum_t([_upto(cell, look.number * drawn.folds) for cell in cells]), look)
            for look in at
        ]
        found.append([*(any(column) for column in zip(*wrong, strict=True)), wrong[-1][-1]])
    return LookRates._make(float(share) for share in np.mean(found, axis=0))


def _wrong(estimate: Estimate, look: Look) -> tuple[bool, bool, bool, bool]:
    """Whether the interval, the lower and the upper bound, and a plain interval miss nothing."""
    least, most = look.bounds(estimate, 2)
    low, high = look.bounds(estimate, 1)
    first, last = estimate.interval()
    return not least <= 0 <= most, low > 0, high < 0, not first <= 0 <= last


def _upto(cell: WeightedCell, folds: int) -> WeightedCell:
    """The cell with its first folds alone."""
    kept = cell.fold < folds
    fold, score = cell.fold[kept], cell.score[kept]
    return replace(
        cell,
        mean=_mean(fold, score),
        fold=fold,
        score=score,
        micrograph=cell.micrograph[kept],
        patches=cell.patches[kept],
    )


def design(name: CellName, noise: Noise, repeats: int = 1) -> WeightedCell:
    """A cell without scores: which fold is tested on which micrograph."""
    pairs = [
        (fold, m)
        for fold in range(noise.folds * repeats)
        for m in range(noise.micrographs)
        if sees(name, fold % noise.folds, m, noise)
    ]
    fold, micrograph = np.array(pairs).T
    names = np.array([f"{name.test}/{m:02d}" for m in micrograph])
    n = np.ones(len(pairs))
    return WeightedCell(1.0, 0.0, name.variant, name.train, name.test, fold, names, n, n)


def _plain(
    kind: Kind,
    noise: Noise,
    designs: Mapping[CellName, WeightedCell],
    random: np.random.Generator,
) -> Estimate:
    """What `contrast` does, without tables of rows between."""
    return variance_sum_t(_cells(kind, noise, designs, random))


def _cells(
    kind: Kind,
    noise: Noise,
    designs: Mapping[CellName, WeightedCell],
    random: np.random.Generator,
) -> list[WeightedCell]:
    """The cells of a contrast with drawn scores."""
    cells = []
    drawn = tables(dict.fromkeys(kind.cells, 0.8), noise, random)
    for (name, dice), weight in zip(drawn.items(), kind.weights.values(), strict=True):
        empty = designs[name]
        score = dice[empty.fold, [int(m[-2:]) for m in empty.micrograph]]
        mean = _mean(empty.fold, score)
        cells.append(replace(empty, weight=weight, mean=mean, score=score))
    return cells


def _mean(fold: Indices, score: Floats) -> float:
    """The mean over the folds of what each has."""
    return float((np.bincount(fold, weights=score) / np.bincount(fold)).mean())


def _best(kind: Kind, noise: Noise, seed: int) -> BestOf:
    """The best of all variants but the last, which is subtracted."""
    made = scores(dict.fromkeys(kind.cells, 0.8), noise, seed)
    *sweep, base = kind.cells
    chosen = select({name.variant: [name] for name in sweep}, "dice", 1, made)
    value = chosen.scores.mean(chosen.names[0], "dice") - made.mean(base, "dice")
    found = best_contrast(
        made, [[Piece(name, 1.0)] for name in sweep], [[Piece(base, -1.0)]], value
    )
    assert isinstance(found.estimate, BestOf)
    return found.estimate
