"""Discs of known places and sizes."""

from __future__ import annotations

import numpy as np

from studyspec.particles.objects import Mask


def discs(*places: tuple[float, float, float], shape: tuple[int, int] = (200, 200)) -> Mask:
    """Discs of (row, column, radius) [px]."""
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    mask = np.zeros(shape, bool)
    for row, col, radius in places:
        mask |= (rows - row) ** 2 + (cols - col) ** 2 < radius**2
    return mask
