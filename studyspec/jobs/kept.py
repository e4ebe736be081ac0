"""Which patches of an evaluation are kept to be looked at: the best, the median and the worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

WHICH = ("best", "median", "worst")
SHADES = 255


@dataclass(frozen=True)
class Candidate:
    """A patch that was scored: its dice in the plain orientation, and where it lies."""

    dice: float
    image: int
    position: int


@dataclass(frozen=True)
class KeptPatch:
    """One patch with its label and prediction.

    Attributes
    ----------
    which
        "best", "median" or "worst" of the evaluation.
    image_id, row, col
        Its image, and its place in the grid of patches.
    dice
        In the plain orientation.
    pixels
        (P, P), uint8: black to white from the 0.5th to the 99.5th percentile of the patch.
    label, predicted
        (P, P), bool.
    """

    which: str
    image_id: str
    row: int
    col: int
    dice: float
    pixels: npt.NDArray[np.uint8]
    label: npt.NDArray[np.bool_]
    predicted: npt.NDArray[np.bool_]


def choose(candidates: Sequence[Candidate]) -> list[tuple[str, Candidate]]:
    """The best, the median and the worst, as far as there are so many; the first of equals."""
    ranked = sorted(candidates, key=lambda c: (-c.dice, c.image, c.position))
    if not ranked:
        return []
    chosen = {"best": 0, "median": len(ranked) // 2, "worst": len(ranked) - 1}
    taken: dict[int, str] = {}
    for which, place in chosen.items():
        taken.setdefault(place, which)
    return [(which, ranked[place]) for place, which in taken.items()]


def shades(patch: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """A patch as shades of grey, (P, P)."""
    low, high = np.percentile(patch, (0.5, 99.5))
    scaled = (patch - low) / max(float(high - low), 1e-9) * SHADES
    return np.asarray(np.clip(scaled, 0, SHADES), np.uint8)
