"""Labels: the exact mask of the atoms, and the outline that a careful person would draw."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, gaussian_filter

from studyspec.twin.constants import Labels

Mask = npt.NDArray[np.bool_]


def exact_mask(xy_A: npt.NDArray[np.float64], n: int, step_A: float, constants: Labels) -> Mask:
    """Pixels within reach of an atom's projection, the outline closed so that it has no scallops.

    Parameters
    ----------
    xy_A
        Projected positions of the particles' atoms [Å, (N, 2)].
    n, step_A
        Edge of the field in pixels, and of a pixel [Å].
    constants
        Reach of an atom and radius of the closing.
    """
    free = np.ones((n, n), bool)
    rows, cols = np.floor(xy_A / step_A).astype(int).T
    inside = (rows >= 0) & (rows < n) & (cols >= 0) & (cols < n)
    free[rows[inside], cols[inside]] = False
    if free.all():
        return ~free
    grown = distance_transform_edt(free) * step_A <= constants.reach_A + constants.closing_A
    if grown.all():
        return np.asarray(grown)
    return np.asarray(distance_transform_edt(grown) * step_A > constants.closing_A)


def drawn_mask(exact: Mask, step_A: float, constants: Labels) -> Mask:
    """The mask with the smooth outline of a drawing by hand."""
    smooth = gaussian_filter(exact.astype(np.float32), constants.hand_A / step_A)
    return np.asarray(smooth > 0.5)
