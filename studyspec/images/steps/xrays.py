"""X-rays: single pixels far above the rest of the image, replaced by their surroundings."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from studyspec.plugins.contracts import Step
from studyspec.plugins.settings import Settings
from studyspec.plugins.values import Image, WorkingImage

ROWS_AT_ONCE = 32
SAMPLED = 16
"""The median is first guessed from every so manieth row and column."""


class XraySettings(Settings):
    """Removal of x-ray hits: pixels far above their surroundings."""

    enabled: bool = Field(True, description="Remove x-ray hits at all.")
    threshold: float = Field(
        1500.0, gt=0, description="Counts above the image's centre that make an x-ray (strictly)."
    )
    center: Literal["median", "mean"] = Field(
        "median",
        description="Centre of the image: the notebooks use the median, the text the mean.",
    )
    passes: Annotated[int, Field(ge=1)] = Field(
        2, description="How many times the whole removal runs."
    )


class Xrays(Step[XraySettings]):
    """The step `[preprocess.xray]`."""

    name = "xray"
    settings = XraySettings
    standard = True
    keeps_shape = True
    position = 100

    def active(self, settings: XraySettings) -> bool:
        """Unless it is switched off."""
        return settings.enabled

    def describe(self, settings: XraySettings) -> str:
        """Threshold and passes."""
        return (
            f"x-rays removed: pixels more than {settings.threshold:g} counts above the "
            f"{settings.center}, in {settings.passes} passes"
        )

    def apply(self, image: WorkingImage, settings: XraySettings) -> WorkingImage:
        """Clip negatives to 0 and remove x-rays, in place."""
        remove_xrays(image.pixels, settings)
        return image


XRAYS = Xrays()


def remove_xrays(image: Image, settings: XraySettings) -> Image:
    """Clip negatives to 0 and remove x-rays, in place.

    A pixel strictly more than `threshold` above the image's centre becomes the mean of its eight
    neighbours, the brightest pixel first; on the border, the mean of the image. (Sytwu et al. 2023,
    notebooks.)

    Parameters
    ----------
    image
        Counts, shape (H, W), float32; changed.

    Returns
    -------
    Image
        The same array.
    """
    np.maximum(image, 0, out=image)
    for _ in range(settings.passes):
        if not _remove_once(image, settings):
            break
    return image


def _remove_once(image: Image, settings: XraySettings) -> int:
    """One pass; returns how many pixels were replaced."""
    flat = _hits(image, settings)
    if not len(flat):
        return 0
    mean = _mean(image)
    height, width = image.shape
    rows, cols = np.divmod(flat, width)
    brightest = np.argsort(-image[rows, cols], kind="stable")
    for row, col in zip(rows[brightest], cols[brightest], strict=True):
        if 0 < row < height - 1 and 0 < col < width - 1:
            around = image[row - 1 : row + 2, col - 1 : col + 2]
            total = float(around.sum(dtype=np.float64)) - float(image[row, col])
            image[row, col] = total / 8
        else:
            image[row, col] = mean
    return len(flat)


def _hits(image: Image, settings: XraySettings) -> npt.NDArray[np.intp]:
    """Positions of the x-rays in the flattened image.

    An exact median takes longer than all else together. Two bounds decide almost every image.
    """
    low, high = _bounds(image, settings)
    found = [
        np.flatnonzero(part > low + settings.threshold) + start * image.shape[1]
        for start, part in _parts(image)
    ]
    flat = np.concatenate([np.empty(0, np.intp), *found])
    pixels = image[np.divmod(flat, image.shape[1])]
    if (pixels <= high + settings.threshold).any():
        flat = flat[pixels > float(np.median(image)) + settings.threshold]
    return flat


def _bounds(image: Image, settings: XraySettings) -> tuple[float, float]:
    """Two numbers between which the centre of the image lies."""
    if settings.center == "mean":
        return (_mean(image),) * 2
    sample = np.sort(image[::SAMPLED, ::SAMPLED], axis=None)
    middle, beside = len(sample) // 2, 4 * math.isqrt(len(sample))  # 8 sd of a rank
    low = float(sample[max(0, middle - beside)])
    high = float(sample[min(len(sample) - 1, middle + beside)])
    below = sum(np.count_nonzero(part < low) for _, part in _parts(image))
    above = sum(np.count_nonzero(part > high) for _, part in _parts(image))
    if max(below, above) <= (image.size - 1) // 2:
        return low, high
    return (float(np.median(image)),) * 2


def _mean(image: Image) -> float:
    """The mean; the pixels of a row are added in single precision, the rows in double."""
    return float(image.sum(axis=1).sum(dtype=np.float64)) / image.size


def _parts(image: Image) -> Iterator[tuple[int, Image]]:
    """The image, a few rows at a time, which stay in a cache, and the first row of each."""
    for start in range(0, len(image), ROWS_AT_ONCE):
        yield start, image[start : start + ROWS_AT_ONCE]
