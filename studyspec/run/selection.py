"""Selection: which patches of which image a job uses. Knows positions in images, not pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from studyspec.errors import RunError
from studyspec.images.patches import Patches
from studyspec.plan.folds import FoldSplit, fold_split, union_split
from studyspec.spec.settings import CrossValidationSettings

Positions = npt.NDArray[np.int64]
Place = tuple[str, int, int]
"""Where a patch was cut: the image's hash, row and column [px]."""


def cross_validation_of(training: Mapping[str, Any]) -> CrossValidationSettings:
    """The folds of a train job; its own seed stands for the seeds of all folds."""
    values = training["cross_validation"]
    return CrossValidationSettings(**values, seeds=(training["seed"],) * values["folds"])


def training_split(counts: Sequence[Sequence[int]], training: Mapping[str, Any]) -> FoldSplit:
    """The parts of a training set.

    Parameters
    ----------
    counts
        For each member of the union the number of patches of each image, in catalog row order.
    training
        Ingredients of the train job.

    Returns
    -------
    FoldSplit
        Positions in the patches of all images of all members, one after the other.
    """
    settings = cross_validation_of(training)
    splits = [fold_split(member, training["fold"], settings) for member in counts]
    return union_split(splits, [sum(member) for member in counts])


def gather(images: Sequence[Patches], positions: Positions) -> tuple[Any, Any]:
    """The chosen patches and labels in the order of `positions`, copied into memory.

    Returns
    -------
    images : float32 (n, P, P)
    labels : uint8 (n, P, P)
    """
    starts = np.cumsum([0, *(len(image.rows) for image in images)])
    size = images[0].images.shape[1:] if images else (0, 0)
    pixels = np.empty((len(positions), *size), np.float32)
    labels = np.empty((len(positions), *size), np.uint8)
    owner = np.searchsorted(starts, positions, side="right") - 1
    for i in np.unique(owner):
        mine = owner == i
        pixels[mine] = images[i].images[positions[mine] - starts[i]]
        labels[mine] = images[i].labels[positions[mine] - starts[i]]
    return pixels, labels


def light_of(
    images: Sequence[Patches], doses: Sequence[Sequence[float | None]]
) -> npt.NDArray[np.float32]:
    """Dose [e/Å^2], electrons a pixel and relative sd of every patch, (n, 3).

    Parameters
    ----------
    images
        The prepared images.
    doses
        Dose and pixel scale [nm] of each.

    Raises
    ------
    RunError
        If one of them is not known.
    """
    rows = []
    for image, (dose, scale_nm) in zip(images, doses, strict=True):
        if dose is None or scale_nm is None or image.relative_sd is None:
            raise RunError(
                "thinning needs dose_e_per_A2 and pixel_scale_nm of every image",
                hint="give both in the catalog",
            )
        electrons = dose * (10 * scale_nm) ** 2
        rows += [(dose, electrons, image.relative_sd)] * len(image.rows)
    return np.array(rows, np.float32).reshape(-1, 3)


def places(images: Sequence[Patches], hashes: Sequence[str]) -> list[Place]:
    """The place of every patch of the images, one after the other."""
    return [
        (sha, int(row), int(col))
        for image, sha in zip(images, hashes, strict=True)
        for row, col in zip(image.rows, image.cols, strict=True)
    ]


def at(image: Patches, sha: str, allowed: frozenset[Place]) -> Positions:
    """Positions of the image's patches that were cut at an allowed place."""
    inside = [place in allowed for place in places([image], [sha])]
    return np.flatnonzero(inside)
