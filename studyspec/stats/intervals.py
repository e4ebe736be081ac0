"""Intervals for differences of scores: what is known of a mean when folds and images are few.

Owns the formulas; knows no study and no claim. Scores of folds are not independent, nor are those
of the images of one network: a plain t-test on either is wrong.

References
----------
.. [1] Nadeau and Bengio (2003), Inference for the generalization error, Machine Learning 52: why
   the spread of folds that share training images tells too little of other training sets.
.. [2] Satterthwaite (1946), Approximate distribution of estimates of variance components,
   Biometrics Bulletin 2.
.. [3] Cameron, Gelbach and Miller (2011), Robust inference with multiway clustering, Journal of
   Business and Economic Statistics 29.
.. [4] Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal
   of Statistics 6.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Sides = Literal[1, 2]
LEVEL = 0.95
ALONE, SEVERAL = 1.75, 1.5
"""How much the degrees of freedom of an excess fall with its share; found by simulation."""


def two_sided_level(sides: Sides) -> float:
    """The level of the interval whose ends are bounds of level `LEVEL`: 0.9 for one-sided ones."""
    return 1 - 2 * (1 - LEVEL) / sides


@dataclass(frozen=True)
class Estimate:
    """A number with the variance of its error and the degrees of freedom of that variance."""

    value: float
    variance: float
    degrees: float

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """The t interval that covers the truth with probability `level`."""
        half = float(special.stdtrit(self.degrees, (1 + level) / 2)) * math.sqrt(self.variance)
        return self.value - half, self.value + half

    def p_value(self, bound: float = 0.0, sides: Sides = 2) -> float:
        """P of the hypothesis that the truth is `bound`, or (one-sided) lies beyond it."""
        if self.variance == 0:
            return float(self.value == bound)
        distance = abs(self.value - bound) / math.sqrt(self.variance)
        return float(sides * special.stdtr(self.degrees, -distance))

    def tail(self, bound: float) -> float:
        """One-sided p of the hypothesis that the truth is `bound` or less."""
        p = self.p_value(bound, sides=1)
        return p if self.value >= bound else 1 - p


@dataclass(frozen=True)
class Resampled:
    """A number and what it became in each replicate of a bootstrap, shape (replicates,)."""

    value: float
    replicates: Floats

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """The percentile interval."""
        low, high = np.quantile(self.replicates, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)

    def p_value(self, bound: float = 0.0, sides: Sides = 2) -> float:
        """P of the hypothesis that the truth is `bound`, or (one-sided) lies beyond it."""
        below = float(np.mean(self.replicates <= bound))
        above = float(np.mean(self.replicates >= bound))
        return min(1.0, sides * min(below, above))


@dataclass(frozen=True)
class BestOf:
    """The best of several, less the best of several others, as far as all of them are known.

    The largest of a row's smallest numbers. It is at least a number if a whole row is: a lower
    bound at the level for one of `rows` (Bonferroni). It is at most a number if every row has one
    that is: an upper bound at the level for one of its columns. So a winner by luck has no lead.

    Attributes
    ----------
    value
        The estimate, which need not be the largest of those known.
    rows
        An estimate for each point of what is made large, by point of what is subtracted.
    """

    value: float
    rows: Sequence[Sequence[Estimate]]

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """The interval that covers the truth with probability `level` at least."""
        beyond = 1 - level
        lows = [[one.interval(1 - beyond / len(self.rows))[0] for one in row] for row in self.rows]
        columns = len(self.rows[0])
        highs = [[one.interval(1 - beyond / columns)[1] for one in row] for row in self.rows]
        low, high = max(map(min, lows)), max(map(min, highs))
        return min(low, self.value), max(high, self.value)

    def p_value(self, bound: float = 0.0, sides: Sides = 2) -> float:
        """P of the hypothesis that the truth is `bound`, or (one-sided) lies beyond it."""
        tails = zip(self.among, self.tails(bound), strict=True)
        return min(1.0, sides * min(among * tail for among, tail in tails))

    @property
    def among(self) -> tuple[int, int]:
        """How many share the level of the lower bound, and how many that of the upper one."""
        return len(self.rows), len(self.rows[0])

    def tails(self, bound: float) -> tuple[float, float]:
        """One-sided p that the truth is `bound` or less, and or more, before Bonferroni."""
        above = [max(one.tail(bound) for one in row) for row in self.rows]
        below = [min(1 - one.tail(bound) for one in row) for row in self.rows]
        return min(above), max(below)


@dataclass(frozen=True)
class Term:
    """One component of a variance, and the degrees of freedom of its estimate."""

    variance: float
    degrees: float


def mean_term(values: Floats) -> Term:
    """The variance of the mean of independent values, shape (n,)."""
    return Term(float(np.var(values, ddof=1)) / len(values), len(values) - 1)


def excess_term(wholes: Sequence[Term], overlap: float) -> Term:
    """A sum of components less what other terms of an error hold of it; never less than nothing.

    A difference of mean squares M - E has fewer degrees of freedom than M: d (1 - E/M)² after [2]_.
    But one that comes out negative counts as zero, which is too much variance on average, so that
    formula is too careful. The powers here meet 5 % of false alarms where one component alone
    decides, and where there are several (`tests/benchmarks/stats_check.py`).
    """
    whole = variance_sum(0.0, wholes)
    excess = max(0.0, whole.variance - overlap)
    if excess == 0.0:
        return Term(0.0, whole.degrees)
    power = ALONE if len(wholes) == 1 else SEVERAL
    return Term(excess, whole.degrees * (excess / whole.variance) ** power)


def variance_sum(value: float, terms: Iterable[Term]) -> Estimate:
    """A value whose error has several independent components; their degrees after [2]_."""
    known = [term for term in terms if term.variance > 0]
    if not known:
        return Estimate(value, 0.0, 1.0)
    total = sum(term.variance for term in known)
    degrees = total**2 / sum(term.variance**2 / term.degrees for term in known)
    return Estimate(value, total, degrees)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values of one family, adjusted so that any false alarm is as rare as nominal [4]_."""
    adjusted = [0.0] * len(p_values)
    least = 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = least
    return adjusted
