"""Rescaling: the intensity scale that a network sees."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field

from studyspec.errors import FileError
from studyspec.images.noise import spectrum
from studyspec.plugins.contracts import Step
from studyspec.plugins.settings import Settings
from studyspec.plugins.values import Image, WorkingImage

ROWS_AT_ONCE = 32
PERCENTILES = (1.0, 99.0)
RELATIVE_SD = "relative_sd"
"""The fact that standardizing notes: the standard deviation over the mean that there were."""


class RescaleSettings(Settings):
    """Intensity scale of the image."""

    method: Literal["standardize", "normalize", "histogram"] = Field(
        "standardize",
        description="standardize: mean 0, sd 1; normalize: min 0, max 1; histogram: 0 and 1 at the "
        "1st and 99th percentile.",
    )
    clip: bool = Field(True, description="histogram only: clip what lies outside 0 to 1.")


class Rescale(Step[RescaleSettings]):
    """The step `[preprocess.rescale]`."""

    name = "rescale"
    settings = RescaleSettings
    standard = True
    keeps_shape = True
    position = 400

    def describe(self, settings: RescaleSettings) -> str:
        """The method."""
        return {
            "standardize": "rescaled to mean 0 and standard deviation 1",
            "normalize": "rescaled to minimum 0 and maximum 1",
            "histogram": "rescaled so that the 1st and 99th percentile are 0 and 1"
            + (", clipped there" if settings.clip else ""),
        }[settings.method]

    def span(self, settings: RescaleSettings) -> tuple[float, float]:
        """Six standard deviations, or from 0 to 1 with a little beside."""
        return (-6.0, 6.0) if settings.method == "standardize" else (-0.1, 1.1)

    def apply(self, image: WorkingImage, settings: RescaleSettings) -> WorkingImage:
        """The image rescaled in place; one that is standardized bears the facts of its noise."""
        weights = None if image.frame is None else image.frame.weights
        center, width = rescale(image.pixels, settings, weights)
        if settings.method != "standardize" or not center:
            return image
        noted = {RELATIVE_SD: width / center, **spectrum(image.pixels)}
        return replace(image, facts={**image.facts, **noted})


RESCALE = Rescale()


def rescale(
    image: Image, settings: RescaleSettings, weights: Image | None = None
) -> tuple[float, float]:
    """Rescale an image in place.

    Parameters
    ----------
    image
        Shape (H, W), float32; changed.
    settings
        The method.
    weights
        How much each pixel counts for mean, standard deviation and percentiles, (H, W), mean 1;
        None: all the same.

    Returns
    -------
    float, float
        The intensity that became 0, and by how much one that became 1 lay above it.

    Raises
    ------
    FileError
        If all pixels are equal.
    """
    if settings.method == "standardize":
        center, width = mean_and_sd(image, weights)
    else:
        ends = _extremes(image) if settings.method == "normalize" else _percentiles(image, weights)
        center, width = ends[0], ends[1] - ends[0]
    if not width > 0:
        raise FileError("all pixels are equal: the image holds nothing", hint="leave it out")
    clipped = settings.method == "histogram" and settings.clip
    for block in _blocks(image):
        part = image[block]
        part -= np.float32(center)
        part /= np.float32(width)
        if clipped:
            np.clip(part, 0, 1, out=part)
    return center, width


def mean_and_sd(image: Image, weights: Image | None = None) -> tuple[float, float]:
    """Mean and standard deviation (ddof 0).

    Pixels are taken from the first one on, so that an image of one value has no deviation. A few
    rows are added in single precision, their sums in double.
    """
    first = float(image[0, 0]) if image.size else 0.0
    counts = 1.0 if weights is None else float(weights.mean(dtype=np.float64))
    mean = first * counts + _sum(image, first, weights, 1) / image.size
    return mean, math.sqrt(_sum(image, mean, weights, 2) / image.size)


def _sum(image: Image, origin: float, weights: Image | None, power: int) -> float:
    """Sum over the pixels of weight * (pixel - origin)**power, power being 1 or 2."""
    total = 0.0
    for block in _blocks(image):
        part = (image[block] - np.float32(origin)).ravel()
        factors = None if weights is None else weights[block].ravel()
        if power == 1:
            total += float(part.sum() if factors is None else np.dot(part, factors))
        else:
            total += float(np.dot(part, part if factors is None else part * factors))
    return total


def _blocks(image: Image) -> Iterator[slice]:
    """Rows of the image, a few at a time, which stay in a cache."""
    for start in range(0, len(image), ROWS_AT_ONCE):
        yield slice(start, start + ROWS_AT_ONCE)


def _extremes(image: Image) -> tuple[float, float]:
    return float(image.min()), float(image.max())


def _percentiles(image: Image, weights: Image | None) -> tuple[float, float]:
    if weights is None:
        low, high = np.percentile(image, PERCENTILES)
    else:
        shares = np.array(PERCENTILES) / 100
        low, high = np.quantile(image, shares, weights=weights, method="inverted_cdf")
    return float(low), float(high)
