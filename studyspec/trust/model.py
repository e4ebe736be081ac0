"""The model: an expected dice with its interval, and the plain baselines beside it. Pure.

Intervals are split-conformal: residuals of conditions that the regression did not see, every
condition in one part alone and of equal weight.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from studyspec.errors import NothingThere
from studyspec.trust.baselines import Baselines
from studyspec.trust.examples import Example
from studyspec.trust.predictors import PREDICTORS, Real
from studyspec.trust.regression import MASKS, Regression, hidden, mask_of

CONFIDENCE = 0.9
"""Of the intervals."""
PARTS = 4
FEWEST = 3
"""Conditions that there must be at least."""
EDGES = (0.002, 0.5, 0.998)
"""Quantiles of the examples: beyond the outer ones a predictor is outside of what was tested."""


@dataclass(frozen=True)
class Expected:
    """What to expect of one (network, image).

    Attributes
    ----------
    dice, low, high
        Expected dice, and the ends of its 90 % interval.
    nearest, confidence
        The plain baselines: mean of the nearest tested condition (None: none is known), and the
        soft dice confidence alone.
    outside
        Why this is outside of what was ever tested; empty if it is not.
    """

    dice: float
    low: float
    high: float
    nearest: float | None
    confidence: float
    outside: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Spread:
    """Residuals of one kind of evidence: their scale is a + b p (1 - p) at an expected dice p."""

    a: float
    b: float
    low: float
    high: float

    @classmethod
    def of(cls, dice: Real, expected: Real, weights: Real) -> _Spread:
        residuals = dice - expected
        slope = expected * (1 - expected)
        design = np.stack([np.ones_like(slope), slope], axis=1) * weights[:, None] ** 0.5
        from scipy.optimize import nnls

        (a, b), _ = nnls(design, np.abs(residuals) * weights**0.5)
        a = max(float(a), 0.005)
        scaled = residuals / (a + b * slope)
        tail = (1 - CONFIDENCE) / 2
        return cls(a, float(b), _quantile(scaled, weights, tail),
                   _quantile(scaled, weights, 1 - tail))  # fmt: skip

    def ends(self, expected: float) -> tuple[float, float]:
        scale = self.a + self.b * expected * (1 - expected)
        low, high = expected + scale * self.low, expected + scale * self.high
        return max(0.0, min(low, expected)), min(1.0, max(high, expected))


@dataclass(frozen=True)
class TrustModel:
    """A regression fitted to examples, its residuals where it was not fitted, and baselines.

    `low`, `usual` and `high` are quantiles of each predictor among the examples, NaN of one that
    none has.
    """

    regression: Regression
    spreads: tuple[_Spread, ...]
    baselines: Baselines
    low: Real
    usual: Real
    high: Real

    @classmethod
    def fit(cls, examples: Sequence[Example]) -> TrustModel:
        """Learn from examples.

        Raises
        ------
        NothingThere
            If they are of fewer than three conditions.
        PluginError
            If scikit-learn is not installed.
        """
        groups = np.array([one.condition.text for one in examples])
        if len(set(groups)) < FEWEST:
            raise NothingThere(
                f"only {len(set(groups))} tested conditions to learn from",
                hint=f"test networks on images of {FEWEST} or more",
            )
        values = np.stack([one.values for one in examples])
        dice = np.array([one.dice for one in examples])
        weights = _equal(groups)
        held_out = _held_out(values, dice, groups)
        spreads = tuple(_Spread.of(dice, found, weights) for found in held_out)
        regression = Regression.fit(values, dice)
        return cls(regression, spreads, Baselines.of(examples), *_edges(values))

    def expected(self, example: Example) -> Expected:
        """What to expect of one (network, image); its `dice` is not looked at."""
        values = example.values
        dice = float(self.regression.expected(values[None])[0])
        low, high = self.spreads[mask_of(values)].ends(dice)
        outside = self._outside(values)
        if outside:  # nothing was tested here: the interval reaches down as far as it may
            low = min(low, max(0.0, dice - 2 * (dice - low)))
        nearest, far = self.baselines.nearest(example)
        confident = self.baselines.confident(values)
        return Expected(dice, low, high, nearest, confident, outside + far)

    def _outside(self, values: Real) -> tuple[str, ...]:
        """Which predictors are worse than in any example, in words."""
        found = []
        for i, one in enumerate(PREDICTORS):
            value = values[i]
            if math.isnan(value) or math.isnan(self.low[i]):
                continue
            if one.sign >= 0 and value < self.low[i]:
                found.append(f"{one.meaning} {value:.2g}, tested from {self.low[i]:.2g}")
            elif one.sign <= 0 and value > self.high[i]:
                found.append(f"{one.meaning} {value:.2g}, tested to {self.high[i]:.2g}")
        return tuple(found)


def _held_out(
    values: Real, dice: Real, groups: np.ndarray[tuple[int, ...], np.dtype[np.str_]]
) -> list[Real]:
    """The expected dice of every example by a regression that saw nothing of its condition."""
    names = sorted(set(groups.tolist()))
    order = np.random.default_rng(0).permutation(len(names))
    part_of = {names[i]: n % min(PARTS, len(names)) for n, i in enumerate(order)}
    parts = np.array([part_of[name] for name in groups.tolist()])
    found = [np.empty(len(dice)) for _ in MASKS]
    for part in sorted(set(part_of.values())):
        out = parts == part
        regression = Regression.fit(values[~out], dice[~out])
        for mask, expected in zip(MASKS, found, strict=True):
            expected[out] = regression.expected(hidden(values[out], mask))
    return found


def _equal(groups: np.ndarray[tuple[int, ...], np.dtype[np.str_]]) -> Real:
    """Weights that give every condition the same, of mean 1."""
    names, at, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray(len(groups) / (len(names) * counts[at]))


def _quantile(values: Real, weights: Real, share: float) -> float:
    """A weighted quantile, towards the outside."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    n = len(values)
    wanted = share - 1 / (n + 1) if share < 0.5 else share + 1 / (n + 1)
    at = int(np.searchsorted(reached, min(max(wanted, 0.0), 1.0)))
    return float(values[order][min(at, n - 1)])


def _edges(values: Real) -> tuple[Real, Real, Real]:
    """Quantiles of each predictor, NaN of one that no example has."""
    ends = np.full((len(EDGES), values.shape[1]), np.nan)
    for i, column in enumerate(values.T):
        known = column[~np.isnan(column)]
        if len(known):
            ends[:, i] = np.quantile(known, EDGES)
    return ends[0], ends[1], ends[2]
