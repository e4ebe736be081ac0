"""Patches: an image cut into squares, row by row, those with too little particle left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from studyspec.errors import FileError
from studyspec.plugins.values import Image, Mask
from studyspec.spec.sections import PatchSettings


@dataclass(frozen=True)
class Patches:
    """The patches of one image.

    Attributes
    ----------
    images
        Shape (N, P, P), float32.
    labels
        Shape (N, P, P), uint8: 1 is particle.
    rows, cols
        Shape (N,), int32: place of each patch in the grid of patches, from 0.
    shape
        Height and width of the image [px].
    facts
        What the steps of its preparation noted of the image.
    dropped
        How many patches hold too little particle to be kept.
    """

    images: npt.NDArray[np.float32]
    labels: npt.NDArray[np.uint8]
    rows: npt.NDArray[np.int32]
    cols: npt.NDArray[np.int32]
    shape: tuple[int, int]
    facts: Mapping[str, float] = field(default_factory=dict)
    dropped: int = 0


def cut(image: Image, label: Mask | None, settings: PatchSettings) -> Patches:
    """Cut an image and its label; edges that fill no patch are left out.

    Without a label no patch is left out for want of particle.

    Parameters
    ----------
    image, label
        Shape (H, W).

    Raises
    ------
    FileError
        If the image is smaller than a patch.
    """
    size = settings.size
    height, width = image.shape
    if min(height, width) < size:
        raise FileError(
            f"the image has {width} x {height} pixels, fewer than a patch of {size} x {size}",
            hint="lower preprocess.patch.size",
        )
    known = np.zeros(image.shape, bool) if label is None else label
    grid_images, grid_labels = _grid(image, size), _grid(known, size)
    particle = grid_labels.sum(axis=(2, 3), dtype=np.int64)
    kept = (particle > settings.min_particle_px) | (label is None) | settings.empty
    rows, cols = np.nonzero(kept)
    return Patches(
        np.ascontiguousarray(grid_images[rows, cols]),
        grid_labels[rows, cols].astype(np.uint8),
        rows.astype(np.int32),
        cols.astype(np.int32),
        (height, width),
        dropped=particle.size - len(rows),
    )


def _grid(array: npt.NDArray[np.generic], size: int) -> npt.NDArray[np.generic]:
    """A view of shape (rows, cols, size, size)."""
    rows, cols = array.shape[0] // size, array.shape[1] // size
    whole = array[: rows * size, : cols * size]
    return whole.reshape(rows, size, cols, size).swapaxes(1, 2)
