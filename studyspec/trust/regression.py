"""Regression: from predictors to an expected dice. Pure; seeded; the home of scikit-learn.

A gradient boosting on the logit of dice, and a part of a ridge regression, which goes on straight
where nothing was seen. In both the answer may only rise, or fall, with a predictor that has a sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from studyspec.errors import PluginError
from studyspec.trust.predictors import PREDICTORS, Group, Real, columns_of

LEAST, MOST = 0.02, 0.985
"""Dice are kept within these before their logit is taken."""
CLIP_SD = 4.0
RIDGE = 30.0
BOOSTED = 0.8
"""The share of the boosting in the answer."""
ALONE: tuple[Group, ...] = ("conditions", "image", "folds", "others")
BESIDE: tuple[Group, ...] = ("conditions", "image", "folds")
MASKS: tuple[tuple[Group, ...], ...] = ((), BESIDE, ALONE)
"""What is hidden from copies of the examples, so that a network of others can be judged too."""


def hidden(values: Real, groups: Sequence[Group]) -> Real:
    """Predictors (N, P) without those of some groups."""
    found = values.copy()
    found[:, [column for group in groups for column in columns_of(group)]] = np.nan
    return found


def mask_of(values: Real) -> int:
    """Which of `MASKS` the predictors of one (network, image) resemble, (P,)."""
    if not np.isnan(values[columns_of("image")]).all():
        return 0
    return 2 if np.isnan(values[columns_of("others")]).all() else 1


Signs = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Regression:
    """A fitted regression; made by `fit`."""

    mean: Real
    sd: Real
    signs: Signs
    usable: tuple[int, ...]
    ridge: Any  # scikit-learn has no types
    boosting: Any

    @classmethod
    def fit(cls, values: Real, dice: Real) -> Regression:
        """Fit to predictors (N, P), NaN where unknown, and dice (N,).

        Raises
        ------
        PluginError
            If scikit-learn is not installed.
        """
        try:
            from sklearn.ensemble import HistGradientBoostingRegressor
            from sklearn.linear_model import Ridge
        except ImportError:
            raise PluginError(
                "scikit-learn is not installed", hint="pip install 'studyspec[trust]'"
            ) from None
        seen = ~np.isnan(values)
        usable = tuple(i for i in range(values.shape[1]) if len(set(values[seen[:, i], i])) > 1)
        copies = np.vstack([hidden(values, groups) for groups in MASKS])[:, usable]
        target = np.tile(_logit(dice), len(MASKS))
        mean = np.nanmean(values[:, usable], axis=0)
        sd = np.nanstd(values[:, usable], axis=0) + 1e-6
        signs = np.array([PREDICTORS[i].sign for i in usable])
        ridge = Ridge(RIDGE, positive=True).fit(_linear(copies, mean, sd, signs), target)
        boosting = HistGradientBoostingRegressor(
            monotonic_cst=signs.tolist(),
            max_iter=80,
            learning_rate=0.1,
            max_leaf_nodes=12,
            min_samples_leaf=max(5, min(40, len(copies) // 20)),
            l2_regularization=5.0,
            random_state=0,
        ).fit(copies, target)
        return cls(mean, sd, signs, usable, ridge, boosting)

    def expected(self, values: Real) -> Real:
        """The expected dice of predictors (N, P), (N,)."""
        known = values[:, self.usable]
        straight = self.ridge.predict(_linear(known, self.mean, self.sd, self.signs))
        stepped = self.boosting.predict(known)
        parts = _dice(np.asarray(straight)), _dice(np.asarray(stepped))
        return np.asarray((1 - BOOSTED) * parts[0] + BOOSTED * parts[1])


def _linear(values: Real, mean: Real, sd: Real, signs: Signs) -> Real:
    """Columns whose weights may not be negative: those without a sign stand twice, turned round."""
    scaled = np.nan_to_num(np.clip((values - mean) / sd, -CLIP_SD, CLIP_SD))
    free = np.hstack([scaled[:, signs == 0], np.isnan(values)])
    return np.hstack([scaled[:, signs != 0] * signs[signs != 0], free, -free])


def _logit(dice: Real) -> Real:
    held = np.clip(dice, LEAST, MOST)
    return np.asarray(np.log(held / (1 - held)))


def _dice(logit: Real) -> Real:
    return np.asarray(1 / (1 + np.exp(-logit)))
