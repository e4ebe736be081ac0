"""A source of images: `stripes:7` is a disc on stripes, drawn by seed."""

from __future__ import annotations

import hashlib

import numpy as np

from studyspec.catalog.row import ImageRow
from studyspec.plugins.contracts import Source, Whereabouts
from studyspec.plugins.values import Mask, RawImage

SIZE_PX = 64


class Stripes(Source):
    """Addresses `stripes:SEED` and, for the label, `stripes-label:SEED`."""

    name = "stripes"
    schemes = ("stripes", "stripes-label")

    def digest(self, uri: str, row: ImageRow, at: Whereabouts) -> str:
        """Of the address: it decides every pixel."""
        return hashlib.sha256(f"stripes 1 {uri}".encode()).hexdigest()

    def image(self, uri: str, row: ImageRow, at: Whereabouts) -> RawImage:
        """Stripes, darker where the disc is, with a little noise."""
        rng = np.random.default_rng(_seed(uri))
        waves = 20 * np.sin(np.arange(SIZE_PX) / 3) + rng.normal(0, 5, (SIZE_PX, SIZE_PX))
        pixels = 1000 + waves - 60 * _disc(_seed(uri))
        return RawImage(pixels.astype(np.float32), row.pixel_scale_nm)

    def label(self, uri: str, row: ImageRow, at: Whereabouts) -> Mask:
        """The disc."""
        return _disc(_seed(uri))


def _seed(uri: str) -> int:
    return int(uri.partition(":")[2])


def _disc(seed: int) -> Mask:
    y, x = np.mgrid[:SIZE_PX, :SIZE_PX]
    center = np.random.default_rng([seed, 1]).uniform(24, 40, 2)
    return np.asarray((y - center[0]) ** 2 + (x - center[1]) ** 2 < 15**2)


SOURCE = Stripes()
