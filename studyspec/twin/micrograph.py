"""What a simulation gives: an image, its labels and the wide field that it is a part of."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from studyspec.plugins.values import Frame, Image, Mask


@dataclass(frozen=True)
class Surroundings:
    """The wide, sparse field that a simulated image is a part of, seen coarsely.

    Real micrographs are 4096 pixels wide and mostly film. Their flat field, mean and standard
    deviation come from all of it, and so they do for the twin, which simulates a part.

    Attributes
    ----------
    view
        Counts of the whole field, each point the mean of `reduction` x `reduction` pixels;
        (n, n), float32, without noise.
    row, col
        Where the image begins in the field [px].
    coverage
        Share of the field that particles cover.
    particle
        Which pixels of the image are particle, (H, W).
    """

    view: Image
    reduction: int
    row: int
    col: int
    coverage: float
    particle: Mask

    def weights(self) -> Image:
        """How much of the field each pixel of the image stands for, (H, W), mean 1.

        Particles are as rare as in the field, whatever their share of the image.
        """
        share = float(self.particle.mean())
        if share in (0.0, 1.0):
            return np.ones(self.particle.shape, np.float32)
        rare, common = self.coverage / share, (1 - self.coverage) / (1 - share)
        return np.where(self.particle, np.float32(rare), np.float32(common))


@dataclass(frozen=True)
class Micrograph:
    """A simulated image: counts (H, W) float32, its labels (H, W), and the field around it."""

    pixels: Image
    drawn: Mask
    exact: Mask
    surroundings: Surroundings

    @property
    def frame(self) -> Frame:
        """The field around it, as a source of images tells of what one was cut from."""
        around = self.surroundings
        return Frame(around.view, around.reduction, around.row, around.col, around.weights())

    def save(self, path: Path) -> None:
        """Write all of it as one .npz file."""
        around = self.surroundings
        np.savez(
            path,
            pixels=self.pixels,
            drawn=np.packbits(self.drawn, axis=1),
            exact=np.packbits(self.exact, axis=1),
            view=around.view,
            place=np.array([around.reduction, around.row, around.col]),
            coverage=around.coverage,
        )

    @classmethod
    def read(cls, data: bytes) -> Micrograph:
        """What `save` wrote into a file."""
        with np.load(io.BytesIO(data)) as saved:
            pixels = saved["pixels"]
            drawn, exact = (
                np.unpackbits(saved[name], axis=1, count=pixels.shape[1]).astype(bool)
                for name in ("drawn", "exact")
            )
            reduction, row, col = (int(n) for n in saved["place"])
            coverage = float(saved["coverage"])
            around = Surroundings(saved["view"], reduction, row, col, coverage, exact)
        return cls(pixels, drawn, exact, around)
