"""Baselines: what a model must beat. The nearest tested condition, and confidence alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from studyspec.trust.conditions import Conditions, distance
from studyspec.trust.examples import Example
from studyspec.trust.predictors import CONFIDENCE, Real

ENOUGH = 2
"""Of material, dose and diameter, so many must be known to say which condition is near."""
FAR = 0.6
"""Conditions further apart than this (a factor 1.8 in one column) are not like each other."""


@dataclass(frozen=True)
class Tested:
    """A condition that a network was tested on: mean dice, and of how many (network, image)."""

    condition: Conditions
    dice: float
    n: int


@dataclass(frozen=True)
class Baselines:
    """The tested conditions of each family of networks, and dice by confidence.

    Attributes
    ----------
    tested
        By family; that of "" is of all networks.
    logits, dice
        Knots of the mean dice at a logit of soft dice confidence.
    """

    tested: Mapping[str, tuple[Tested, ...]]
    logits: Real
    dice: Real

    @classmethod
    def of(cls, examples: Sequence[Example]) -> Baselines:
        """Those of some examples."""
        by: dict[str, dict[Conditions, list[float]]] = {}
        for one in examples:
            for family in ("", one.family):
                by.setdefault(family, {}).setdefault(one.condition, []).append(one.dice)
        tested = {
            family: tuple(Tested(c, float(np.mean(d)), len(d)) for c, d in conditions.items())
            for family, conditions in by.items()
        }
        return cls(tested, *_rising([one.values[CONFIDENCE] for one in examples],
                                    [one.dice for one in examples]))  # fmt: skip

    def nearest_tested(self, family: str, condition: Conditions) -> Tested | None:
        """The nearest condition that a family was tested on; of all networks if it never was.

        None if too little is known of a condition to say what is near.
        """
        told = (condition.material, condition.dose_e_per_A2, condition.diameter_nm)
        if sum(one is not None for one in told) < ENOUGH:
            return None
        known = self.tested.get(family) or self.tested.get("", ())
        return min(known, key=lambda one: distance(one.condition, condition), default=None)

    def nearest(self, example: Example) -> tuple[float | None, tuple[str, ...]]:
        """Mean dice of the nearest tested condition, and a word if even that is far."""
        found = self.nearest_tested(example.family, example.condition)
        if found is None:
            return None, ()
        away = distance(found.condition, example.condition)
        far = (f"the nearest tested condition is {found.condition.text}",) if away > FAR else ()
        return found.dice, far

    def confident(self, values: Real) -> float:
        """The dice that goes with the soft dice confidence alone."""
        return float(np.interp(values[CONFIDENCE], self.logits, self.dice))


def _rising(logits: Sequence[float], dice: Sequence[float]) -> tuple[Real, Real]:
    """The rising curve nearest to the points (isotonic regression, pool adjacent violators)."""
    order = np.argsort(logits, kind="stable")
    x, y = np.array(logits)[order], np.array(dice)[order]
    blocks: list[tuple[float, int]] = []
    for value in y:
        blocks.append((float(value), 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, n), (b, m) = blocks[-2:]
            blocks[-2:] = [((a * n + b * m) / (n + m), n + m)]
    return x, np.repeat([a for a, _ in blocks], [n for _, n in blocks])
