"""Made-up examples: dice that follow from predictors by a known rule, with a known scatter."""

from __future__ import annotations

import numpy as np

from studyspec.trust.conditions import Conditions
from studyspec.trust.examples import Example
from studyspec.trust.predictors import NAMES, Real

SCATTER = 0.02
TRAINED = Conditions("Au", 0.02, 20.0, 5.0)


def dice_of(confidence: float, turned: float) -> float:
    """The rule: dice by the logits of confidence and of the answer for the turned image."""
    return float(1 / (1 + np.exp(-0.4 * confidence - 0.6 * turned)))


def values(confidence: float, turned: float, rng: np.random.Generator) -> Real:
    """Predictors with these two, the other answers at random, what is left unknown."""
    found = np.full(len(NAMES), np.nan)
    found[NAMES.index("confidence")] = confidence
    found[NAMES.index("turned")] = turned
    for name in ("entropy", "certainty", "shift_mean", "shift_spread", "particle"):
        found[NAMES.index(name)] = rng.normal()
    return found


def examples(conditions: int = 8, each: int = 40, seed: int = 0) -> list[Example]:
    """Some examples of every condition; conditions differ in dose, and in how hard they are."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(conditions):
        condition = Conditions("Au", 0.02, 20.0 * 2**number, 5.0)
        middle = rng.uniform(-0.5, 2.5)
        for i in range(each):
            confidence, turned = rng.normal(middle, 0.7, 2)
            dice = dice_of(confidence, turned) + rng.normal(0, SCATTER)
            found.append(
                Example(
                    f"network{i % 5}", "family", f"image{number}-{i}", condition,
                    float(np.clip(dice, 0, 1)), values(confidence, turned, rng), (TRAINED,),
                )
            )  # fmt: skip
    return found
