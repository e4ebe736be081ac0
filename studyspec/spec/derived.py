"""Quantities of a cell that are derived from its scores: stated once, as metrics are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from studyspec.plugins.contracts import Metric
from studyspec.plugins.registry import METRICS

DICE = "dice"
"""The metric that everything is judged by where no other is asked for."""


DICE_MICRO = "dice_micro"
"""The dice of pixels pooled."""


@dataclass(frozen=True)
class Derived:
    """A quantity that a claim may speak of beside the metrics; `splits` are the parts it needs.

    `bounds` are the lowest and the highest value that there can be, if that is known.
    """

    name: str
    label: str
    meaning: str
    better: Literal["higher", "lower"]
    splits: tuple[str, ...] = ("test",)
    bounds: tuple[float, float] | None = None


NORMALIZED = Derived(
    "normalized",
    "Of own set",
    "Dice divided by that of networks trained on the test set itself.",
    "higher",
)
DICE_BY_IMAGE = Derived(
    "dice_by_image",
    "Dice by image",
    "Mean over the images of the dice of all pixels of each, which scatters less than that of "
    "small patches.",
    "higher",
)
DICE_SD = Derived(
    "dice_sd", "Spread of dice", "Standard deviation of dice over the folds.", "lower"
)
DICE_DROP = Derived(
    "dice_drop",
    "Drop of dice",
    "Dice of split train less dice of split test.",
    "lower",
    ("train", "test"),
    (-1.0, 1.0),
)
DERIVED: tuple[Derived, ...] = (NORMALIZED, DICE_BY_IMAGE, DICE_SD, DICE_DROP)


def quantity(name: str) -> Metric | Derived:
    """What is said of a metric or of a derived quantity: label, meaning, direction.

    Raises
    ------
    PluginError
        If there is none of this name.
    """
    for derived in DERIVED:
        if derived.name == name:
            return derived
    return METRICS.get(name)
