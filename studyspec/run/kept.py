"""Kept predictions: the best, median and worst patch of an evaluation, small, for people to see.

They decide no score, and an evaluation without them is as good. `clean` leaves them: they come back
only with another evaluation.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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
    places = {"best": 0, "median": len(ranked) // 2, "worst": len(ranked) - 1}
    taken: dict[int, str] = {}
    for which, place in places.items():
        taken.setdefault(place, which)
    return [(which, ranked[place]) for place, which in taken.items()]


def shades(patch: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """A patch as shades of grey, (P, P)."""
    low, high = np.percentile(patch, (0.5, 99.5))
    scaled = (patch - low) / max(float(high - low), 1e-9) * SHADES
    return np.asarray(np.clip(scaled, 0, SHADES), np.uint8)


def save_kept(patches: Sequence[KeptPatch], path: Path) -> None:
    """Write patches of one evaluation, at once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.stem}.{os.getpid()}.npz")
    np.savez_compressed(
        half,
        which=np.array([p.which for p in patches]),
        image_id=np.array([p.image_id for p in patches]),
        place=np.array([(p.row, p.col) for p in patches]),
        dice=np.array([p.dice for p in patches]),
        pixels=np.stack([p.pixels for p in patches]),
        label=np.stack([np.packbits(p.label, axis=1) for p in patches]),
        predicted=np.stack([np.packbits(p.predicted, axis=1) for p in patches]),
    )
    half.replace(path)


def load_kept(path: Path) -> list[KeptPatch]:
    """What `save_kept` wrote; nothing, if there is no such file."""
    if not path.exists():
        return []
    with np.load(path) as saved:
        pixels = saved["pixels"]
        width = pixels.shape[2]
        label, predicted = (
            np.unpackbits(saved[name], axis=2, count=width).astype(bool)
            for name in ("label", "predicted")
        )
        return [
            KeptPatch(str(which), str(image_id), int(row), int(col), float(dice), *planes)
            for which, image_id, (row, col), dice, *planes in zip(
                saved["which"],
                saved["image_id"],
                saved["place"],
                saved["dice"],
                pixels,
                label,
                predicted,
                strict=True,
            )
        ]
