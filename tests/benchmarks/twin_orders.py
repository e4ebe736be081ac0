"""Orders of the paper that released networks can judge on twin images: which hold, which do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np

from tests.benchmarks.twin_figures import Value

Pair = tuple[str, str]
DOSES = ("Au 5 nm 0.02 80", "Au 5 nm 0.02 423", "Au 5 nm 0.02 884")
SCALES = ("Au 5 nm 0.02 423", "Au 5 nm 0.026 450", "Au 5 nm 0.033 420", "Au 5 nm 0.042 425")
SIZES = ("Au 2.2 nm 0.02 423", "Au 5 nm 0.02 423", "Au 10 nm 0.02 425")
MATERIALS = ("Au 5 nm 0.02 423", "Ag 5 nm 0.02 423", "CdSe 5 nm 0.02 421")
SMALL, GOLD, LARGE = SIZES
SILVER, SELENIDE = MATERIALS[1:]


@dataclass(frozen=True)
class Matrix:
    """Dice with its error, and over-segmentation, by (trained on, tested on)."""

    dice: Mapping[Pair, Value]
    over: Mapping[Pair, float]

    def __call__(self, trained: str, tested: str) -> float:
        """Mean dice."""
        return self.dice[trained, tested].mean


@dataclass(frozen=True)
class Order:
    """A statement of the paper, and the numbers that it says are positive (or what they are)."""

    says: str
    positive: Callable[[Matrix], list[float]]

    def judged(self, matrix: Matrix) -> str:
        """A line of the table: the numbers, and whether all are positive."""
        try:
            found = self.positive(matrix)
        except KeyError as error:
            return f"| {self.says} | no network {error} | |"
        numbers = " ".join(f"{value:+.3f}" for value in found)
        return f"| {self.says} | {numbers} | {'holds' if min(found) > 0 else 'does NOT hold'} |"


def pairs() -> list[Pair]:
    """All (trained on, tested on) that an order or a published figure compares."""
    found = [pair for group in (DOSES, SCALES, SIZES, MATERIALS) for pair in product(group, group)]
    return list(dict.fromkeys(found))


def _by_ratio(matrix: Matrix) -> list[float]:
    """Own scale less one step away, one step less two, two less three."""
    means = [
        np.mean(
            [matrix(SCALES[i], SCALES[j]) for i in range(4) for j in range(4) if abs(i - j) == n]
        )
        for n in range(4)
    ]
    return [float(near - far) for near, far in pairwise(means)]


ORDERS = (
    Order("own sets: 884 over 423 over 80", lambda m: [
        m(DOSES[i], DOSES[i]) - m(DOSES[j], DOSES[j]) for i, j in ((2, 1), (1, 0))
    ]),
    Order("C3: the score falls as the ratio of pixel scales grows", _by_ratio),
    Order("C4: 0.042 on 0.02 is far worse than the reverse", lambda m: [
        m(SCALES[0], SCALES[3]) - m(SCALES[3], SCALES[0]) - 0.1,
    ]),
    Order("C5 upwards: a network scores lower at a higher dose than at its own", lambda m: [
        m(DOSES[i], DOSES[i]) - m(DOSES[i], DOSES[j]) for i, j in ((0, 1), (0, 2), (1, 2))
    ]),
    Order("C5 downwards: and lower at a lower dose", lambda m: [
        m(DOSES[i], DOSES[i]) - m(DOSES[i], DOSES[j]) for i, j in ((1, 0), (2, 0), (2, 1))
    ]),
    Order("C6: over-segments at a higher dose than trained on", lambda m: [
        m.over[DOSES[i], DOSES[j]] - 0.5 for i, j in ((0, 1), (0, 2), (1, 2))
    ]),
    Order("C6: under-segments at a lower dose", lambda m: [
        0.5 - m.over[DOSES[i], DOSES[j]] for i, j in ((1, 0), (2, 0), (2, 1))
    ]),
    Order("C7: 2.2 nm is the hardest test set", lambda m: [
        min(m(one, GOLD), m(one, LARGE)) - m(one, SMALL) for one in SIZES
    ]),
    Order("0.033 nm: its own network scores over 0.8", lambda m: [m(SCALES[2], SCALES[2]) - 0.8]),
    Order("C8: silver networks do well on gold (0.8)", lambda m: [m(SILVER, GOLD) - 0.8]),
    Order("C8: silver and selenide score lower with their own networks than gold", lambda m: [
        m(GOLD, GOLD) - m(one, one) for one in (SILVER, SELENIDE)
    ]),
    Order("C8: silver and selenide depend on the material trained on (0.1)", lambda m: [
        np.ptp([m(trained, one) for trained in MATERIALS]) - 0.1 for one in (SILVER, SELENIDE)
    ]),
    Order("C11: harder data generalize to easier ones better than the reverse", lambda m: [
        m(SMALL, LARGE) - m(LARGE, SMALL), m(DOSES[1], DOSES[2]) - m(DOSES[2], DOSES[1]),
    ]),
)  # fmt: skip
