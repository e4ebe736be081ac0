"""Validation: how well dice are foretold of conditions that nothing was learnt of. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from studyspec.trust.examples import Example
from studyspec.trust.model import FEWEST, Expected, TrustModel

LOW_DICE = 0.7


@dataclass(frozen=True)
class Held:
    """A condition that was held out; errors are mean absolute ones of dice.

    Attributes
    ----------
    condition, n, dice
        Its name, how many (network, image), their mean dice.
    error, nearest_error, confidence_error
        Of the model, of the nearest tested condition, of soft dice confidence alone.
    coverage
        Share of dice within their 90 % interval.
    """

    condition: str
    n: int
    dice: float
    error: float
    nearest_error: float
    confidence_error: float
    coverage: float


@dataclass(frozen=True)
class Validation:
    """All conditions, each held out in turn.

    Attributes
    ----------
    held
        Condition by condition.
    error, nearest_error, confidence_error, coverage
        As of `Held`, over all (network, image).
    auc
        Area under the curve for "dice below 0.7"; None if all or none are.
    rank_correlation
        Spearman's, of expected dice and dice.
    """

    held: tuple[Held, ...]
    error: float
    nearest_error: float
    confidence_error: float
    coverage: float
    auc: float | None
    rank_correlation: float

    @property
    def beats_both(self) -> bool:
        """Whether the model errs less than either baseline."""
        return self.error < min(self.nearest_error, self.confidence_error)


def validate(
    examples: Sequence[Example],
    on_condition: Callable[[int, int], None] = lambda done, total: None,
) -> Validation | None:
    """Leave one condition out: learn from all others, foretell its dice. None if there are few."""

    def name(example: Example) -> str:
        return example.condition.text

    conditions = [(key, list(its)) for key, its in groupby(sorted(examples, key=name), name)]
    if len(conditions) <= FEWEST:
        return None
    foretold: list[tuple[Example, Expected]] = []
    held = []
    for done, (condition, its) in enumerate(conditions):
        model = TrustModel.fit([one for one in examples if name(one) != condition])
        pairs = [(one, model.expected(one)) for one in its]
        foretold += pairs
        held.append(Held(condition, len(its), float(np.mean([one.dice for one in its])),
                         *_errors(pairs)))  # fmt: skip
        on_condition(done + 1, len(conditions))
    dice = [one.dice for one, _ in foretold]
    expected = [found.dice for _, found in foretold]
    return Validation(
        tuple(held), *_errors(foretold), auc(dice, expected), _rank_correlation(dice, expected)
    )


def auc(dice: Sequence[float], expected: Sequence[float], low: float = LOW_DICE) -> float | None:
    """Area under the curve of telling dice below a limit by the expected dice."""
    below = np.array(dice) < low
    n, m = int(below.sum()), int((~below).sum())
    if not n or not m:
        return None
    ranks = _ranks(-np.array(expected))
    return float((ranks[below].sum() - n * (n - 1) / 2) / (n * m))


def _errors(pairs: Sequence[tuple[Example, Expected]]) -> tuple[float, float, float, float]:
    """Of the model and of both baselines; and the coverage."""

    def mean(found: Sequence[float]) -> float:
        return float(np.mean(found)) if found else math.nan

    return (
        mean([abs(e.dice - one.dice) for one, e in pairs]),
        mean([abs(e.nearest - one.dice) for one, e in pairs if e.nearest is not None]),
        mean([abs(e.confidence - one.dice) for one, e in pairs]),
        mean([float(e.low <= one.dice <= e.high) for one, e in pairs]),
    )


def _rank_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    a, b = _ranks(np.array(first)), _ranks(np.array(second))
    return float(np.corrcoef(a, b)[0, 1]) if np.ptp(a) and np.ptp(b) else math.nan


def _ranks(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Ranks from 0, equal values sharing theirs."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(values) - 1)
