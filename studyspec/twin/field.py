"""The sampled field of view: from the camera's pixels to the finer points of the wave, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft as fft

from studyspec.twin.conditions import Conditions
from studyspec.twin.constants import NM, Waves
from studyspec.twin.wave import Grid

Plane = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Field:
    """The field of view of one image.

    `over` x `over` points of the wave make a pixel of the camera; `margin` points surround it.
    """

    grid: Grid
    pixels: int
    over: int
    margin: int

    @classmethod
    def of(cls, conditions: Conditions, waves: Waves) -> Field:
        """Sampling fine enough for the wave, with a margin, of a size that transforms fast."""
        over = max(1, int(np.ceil(conditions.pixel_scale_nm / waves.finest_nm)))
        step_A = conditions.pixel_scale_nm * NM / over
        inner = conditions.width_px * over
        n = fft.next_fast_len(int(inner + 2 * waves.padding_A / step_A))
        n += (n - inner) % 2
        return cls(Grid(n, step_A), conditions.width_px, over, (n - inner) // 2)

    @property
    def margin_A(self) -> float:
        """Width of the margin [Å]."""
        return self.margin * self.grid.step_A

    def seen(self, plane: npt.NDArray[np.generic]) -> Plane:
        """What the camera's pixels see of a plane of the wave: means, without the margin."""
        inner = slice(self.margin, self.margin + self.pixels * self.over)
        return block_means(plane[inner, inner], self.over)


def block_means(plane: npt.NDArray[np.generic], edge: int) -> Plane:
    """Means of `edge` x `edge` points, float32; a remainder is left out."""
    rows, cols = (n // edge for n in plane.shape)
    whole = plane[: rows * edge, : cols * edge].reshape(rows, edge, cols, edge)
    return np.asarray(whole.mean(axis=(1, 3), dtype=np.float32))
