"""Intervals for differences of scores: what is known of a mean when folds and images are few.

Owns the formulas; knows no study and no claim. Scores of folds are not independent, nor are those
of the images of one network: a plain t-test on either is wrong.

References
----------
.. [1] Nadeau and Bengio (2003), Inference for the generalization error, Machine Learning 52.
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

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
LEVEL = 0.95


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

    def p_value(self, bound: float = 0.0) -> float:
        """Two-sided p of the hypothesis that the truth is `bound`."""
        if self.variance == 0:
            return float(self.value == bound)
        distance = abs(self.value - bound) / math.sqrt(self.variance)
        return float(2 * special.stdtr(self.degrees, -distance))


@dataclass(frozen=True)
class Resampled:
    """A number and what it became in each replicate of a bootstrap, shape (replicates,)."""

    value: float
    replicates: Floats

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """The percentile interval."""
        low, high = np.quantile(self.replicates, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)

    def p_value(self, bound: float = 0.0) -> float:
        """Two-sided p of the hypothesis that the truth is `bound`."""
        below = float(np.mean(self.replicates <= bound))
        above = float(np.mean(self.replicates >= bound))
        return min(1.0, 2 * min(below, above))


@dataclass(frozen=True)
class Term:
    """One component of a variance, and the degrees of freedom of its estimate."""

    variance: float
    degrees: float


def corrected_resampled_t(differences: Floats) -> Estimate:
    """The mean of paired differences over the folds of one cross-validation [1]_.

    The folds share training data: their variance is raised from 1/K to 1/K + 1/(K - 1), the second
    term being the ratio of test to training size.

    Parameters
    ----------
    differences
        Shape (K,): for each fold, one score less the other.
    """
    k = len(differences)
    variance = (1 / k + 1 / (k - 1)) * float(np.var(differences, ddof=1))
    return Estimate(float(np.mean(differences)), variance, k - 1)


def mean_term(values: Floats) -> Term:
    """The variance of the mean of independent values, shape (n,)."""
    return Term(float(np.var(values, ddof=1)) / len(values), len(values) - 1)


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
