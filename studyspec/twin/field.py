"""The sampled field of view: the camera's pixels, and the wave's points, as fine for all of them.

The wave has one sampling whatever the magnification, so that no numerical limit acts as an aperture
that changes with it. Images are taken from one grid to the other in Fourier space; what a pixel
integrates is part of the camera's transfer function and not repeated here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import scipy.fft as fft

from studyspec.twin.conditions import Conditions
from studyspec.twin.constants import NM, Waves
from studyspec.twin.wave import Grid

Plane = npt.NDArray[np.float32]
T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True)
class Field:
    """The field of view of one image and the margin around it.

    Attributes
    ----------
    grid
        The wave's points; as wide as the pixels with their margin.
    pixel_A
        Edge of a pixel in the specimen [Å].
    pixels, margin
        Edge of the image, and width of the margin on each side [px].
    """

    grid: Grid
    pixel_A: float
    pixels: int
    margin: int

    @classmethod
    def of(cls, conditions: Conditions, waves: Waves) -> Field:
        """Points at most `waves.step_A` apart, a margin, and sizes that transform fast."""
        pixel_A, inner = conditions.pixel_scale_nm * NM, conditions.width_px
        wide = fft.next_fast_len(int(inner + 2 * waves.padding_A / pixel_A), real=True)
        wide += (wide - inner) % 2
        n = fft.next_fast_len(int(np.ceil(wide * pixel_A / waves.step_A - 1e-6)))
        return cls(Grid(n, wide * pixel_A / n), pixel_A, inner, (wide - inner) // 2)

    @property
    def wide(self) -> int:
        """Edge of the image with its margins [px]."""
        return self.pixels + 2 * self.margin

    @property
    def margin_A(self) -> float:
        """Width of the margin [Å]."""
        return self.margin * self.pixel_A

    def seen(self, plane: Plane) -> Plane:
        """An image on the wave's points as the camera's pixels sample it; (pixels, pixels)."""
        return self.cut(resampled(plane, self.wide))

    def cut(self, plane: npt.NDArray[T]) -> npt.NDArray[T]:
        """A plane of pixels without its margin."""
        inner = slice(self.margin, self.margin + self.pixels)
        return plane[inner, inner]


def resampled(plane: Plane, n: int) -> Plane:
    """A periodic square plane on n x n points: frequencies that these cannot hold are cut."""
    before = len(plane)
    if before == n:
        return plane
    spectrum = fft.rfft2(plane)
    least = min(before, n)
    top, bottom = (least + 1) // 2, (least - 1) // 2
    kept = np.zeros((n, n // 2 + 1), spectrum.dtype)
    kept[:top, :top] = spectrum[:top, :top]
    kept[n - bottom :, :top] = spectrum[before - bottom :, :top]
    kept *= np.float32((n / before) ** 2)
    return np.asarray(fft.irfft2(kept, s=(n, n)), np.float32)


def block_means(plane: npt.NDArray[np.generic], edge: int) -> Plane:
    """Means of `edge` x `edge` points, float32; a remainder is left out."""
    rows, cols = (n // edge for n in plane.shape)
    whole = plane[: rows * edge, : cols * edge].reshape(rows, edge, cols, edge)
    return np.asarray(whole.mean(axis=(1, 3), dtype=np.float32))
