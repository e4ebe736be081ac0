"""Looks: levels of a study that is judged several times, so that looking often finds no more.

Owns the alpha that each look may spend; knows no claim and no study. The number of looks and what
each adds are fixed beforehand, so the share of the information that a look has is known: that of
its networks among those of the last look. The share of 5 % that is spent up to then is that of the
spending function with the shape of O'Brien and Fleming [1]_.

The bounds of all looks follow from how the estimates of the looks are correlated [2]_: as those of
sums of independent numbers, the square root of the ratio of their shares. Where micrographs, which
do not become more, are a part of the error, the estimates are correlated more, and false alarms
are fewer [3]_. Bounds hold for t statistics by their tails, the significance levels [4]_.

References
----------
.. [1] Lan and DeMets (1983), Discrete sequential boundaries for clinical trials, Biometrika 70.
.. [2] Armitage, McPherson and Rowe (1969), Repeated significance tests on accumulating data,
   Journal of the Royal Statistical Society A 132.
.. [3] Slepian (1962), The one-sided barrier problem for Gaussian noise, Bell System Technical
   Journal 41.
.. [4] Jennison and Turnbull (2000), Group sequential methods, chapters 3.8 (significance levels),
   7.2 (spending) and 9 (repeated intervals and p values).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from scipy import special

from studyspec.stats.intervals import LEVEL, BestOf, Estimate, Floats, Resampled, Sides

Shares = tuple[float, ...]
POINTS = 401
"""Of the grid that densities are integrated on."""
FAR = 8.0
"""Where densities end below [standard deviations]."""
TINY = 1e-300
BRACKET, PRECISION = (-3.0, 40.0), 1e-9
"""Where bounds are looked for, and how well they are found [standard deviations]."""
ALPHAS: Shares = (
    *np.geomspace(1e-9, 0.02, 25),
    (1 - LEVEL) / 2,
    *np.geomspace(0.03, 0.045, 3),
    1 - LEVEL,
    *np.geomspace(0.06, 0.5, 8),
)
"""Where p values are tabulated: the levels that decide are among them."""


@dataclass(frozen=True)
class Look:
    """One of several looks at a study whose networks become more.

    Attributes
    ----------
    number
        Which one, from 1.
    shares
        The information at each planned look, as a share of the last one's: rising, up to 1.
    """

    number: int = 1
    shares: Shares = (1.0,)

    @property
    def planned(self) -> int:
        """How many looks there may be."""
        return len(self.shares)

    def tail(self, alpha: float) -> float:
        """The one-sided level of this look, if all looks together have one of `alpha`."""
        if self.planned == 1:
            return alpha
        return levels(self.shares, alpha)[self.number - 1]

    def overall(self, tail: float) -> float:
        """The one-sided p over all looks, of a tail at this one: the least `alpha` that decides.

        It is valid at every look, and so the smallest of those so far is [4]_. At least 1e-9, and
        1 from a half on.
        """
        if self.planned == 1:
            return tail
        logs, known = _table(self.shares, self.number)
        if tail <= 0 or np.log(tail) <= known[0]:
            return ALPHAS[0]
        if np.log(tail) > known[-1]:
            return 1.0
        return float(np.exp(np.interp(np.log(tail), known, logs)))

    def level(self, sides: Sides) -> float:
        """The level of an interval (two-sided) or of a bound (one-sided) at this look."""
        if self.planned == 1:
            return LEVEL
        return 1 - sides * self.tail((1 - LEVEL) / sides)

    def bounds(self, estimate: Estimate | Resampled | BestOf, sides: Sides) -> tuple[float, float]:
        """The interval, or the lower and the upper bound, at the level of this look."""
        alpha = (1 - LEVEL) / sides

        def end(which: int, among: int) -> float:
            level = 1 - 2 * among * self.tail(alpha / among)
            return estimate.interval(level)[which]

        below, above = estimate.among if isinstance(estimate, BestOf) else (1, 1)
        return end(0, below), end(1, above)

    def p_value(self, estimate: Estimate | Resampled | BestOf, bound: float, sides: Sides) -> float:
        """P over all looks of the hypothesis that the truth is `bound`, or beyond it."""
        if self.planned == 1:
            return estimate.p_value(bound, sides)
        if isinstance(estimate, BestOf):
            tails = zip(estimate.among, estimate.tails(bound), strict=True)
            p = min(among * self.overall(tail) for among, tail in tails)
        else:
            p = self.overall(estimate.p_value(bound, 1))
        return min(1.0, sides * p)


ONCE = Look()
"""A study that is judged once."""


def spent(alpha: float, share: float) -> float:
    """The part of a one-sided `alpha` that is spent when a share of the information is there.

    With the shape of O'Brien and Fleming: 2 - 2 Φ(z / √share) [1]_, where 1 - Φ(z) = alpha / 2.
    """
    z = -float(special.ndtri(alpha / 2))
    return float(2 * special.ndtr(-z / np.sqrt(share)))


def shares_of(repeats: int, looks: int) -> Shares:
    """The shares of information of looks that each add one repeat to those of the first."""
    return tuple((repeats + k) / (repeats + looks - 1) for k in range(looks))


@cache
def levels(shares: Shares, alpha: float) -> Shares:
    """The one-sided level of each look, so that all together cross with probability `alpha`.

    By numerical integration of the density of what has not crossed yet [2]_.
    """
    found = [spent(alpha, shares[0])]
    grid, density = _first(shares[0], _bound(found[0]))
    for before, now in pairwise(shares):
        step = float(np.sqrt(now - before))
        wanted = spent(alpha, now) - spent(alpha, before)
        mass = density * _weights(grid)

        z = _crossed(grid / step, mass, float(np.sqrt(now)) / step, wanted)
        found.append(float(special.ndtr(-z)))
        after = _grid(z, now)
        kernel = np.exp(-(((after[:, None] - grid) / step) ** 2) / 2) / (step * np.sqrt(2 * np.pi))
        grid, density = after, kernel @ mass
    return tuple(found)


@cache
def _table(shares: Shares, number: int) -> tuple[Floats, Floats]:
    """Logarithms of `ALPHAS`, and of the level of a look for each."""
    known = [levels(shares[:number], alpha)[-1] for alpha in ALPHAS]
    return np.log(ALPHAS), np.log(np.maximum.accumulate(np.maximum(known, TINY)))


def _crossed(grid: Floats, mass: Floats, scale: float, wanted: float) -> float:
    """The bound that a probability of `wanted` lies beyond, by bisection."""
    low, high = BRACKET
    while high - low > PRECISION:
        middle = (low + high) / 2
        beyond = float(mass @ special.ndtr(grid - middle * scale))
        low, high = (middle, high) if beyond > wanted else (low, middle)
    return (low + high) / 2


def _first(share: float, z: float) -> tuple[Floats, Floats]:
    grid = _grid(z, share)
    return grid, np.exp(-(grid**2) / (2 * share)) / np.sqrt(2 * np.pi * share)


def _bound(tail: float) -> float:
    return -float(special.ndtri(tail))


def _grid(z: float, share: float) -> Floats:
    """Where a sum whose variance is `share` has not crossed its bound."""
    sd = float(np.sqrt(share))
    return np.linspace(-FAR * sd, min(z, FAR) * sd, POINTS)


def _weights(grid: Floats) -> Floats:
    """Of Simpson's rule."""
    weights: Floats = np.full(len(grid), 2.0)
    weights[1::2] = 4.0
    weights[[0, -1]] = 1.0
    weights *= float(grid[1] - grid[0]) / 3
    return weights
