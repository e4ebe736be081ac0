"""Rescaling: the intensity scale that a network sees."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from studyspec.errors import FileError
from studyspec.spec.settings import RescaleSettings

Image = npt.NDArray[np.float32]

ROWS_AT_ONCE = 256
PERCENTILES = (1.0, 99.0)


def rescale(image: Image, settings: RescaleSettings, weights: Image | None = None) -> Image:
    """Rescale an image in place, as `settings.method` says; see `rescaled`."""
    return rescaled(image, settings, weights)[0]


def rescaled(
    image: Image, settings: RescaleSettings, weights: Image | None = None
) -> tuple[Image, float]:
    """Rescale an image in place; also what became 1, relative to what became 0.

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
    Image
        The same array.
    float
        Of a standardized image its standard deviation over its mean; not finite for a mean of 0.

    Raises
    ------
    FileError
        If all pixels are equal.
    """
    if settings.method == "standardize":
        center, width = mean_and_sd(image, weights)
    elif settings.method == "normalize":
        low, high = float(image.min()), float(image.max())
        center, width = low, high - low
    else:
        low, high = _percentiles(image, weights)
        center, width = low, high - low
    if not width > 0:
        raise FileError("all pixels are equal: the image holds nothing", hint="leave it out")
    relative = width / center if center else float("inf")
    image -= np.float32(center)
    image /= np.float32(width)
    if settings.method == "histogram" and settings.clip:
        np.clip(image, 0, 1, out=image)
    return image, relative


def mean_and_sd(image: Image, weights: Image | None = None) -> tuple[float, float]:
    """Mean and standard deviation (ddof 0) in double precision, a few rows at a time."""
    blocks = [slice(start, start + ROWS_AT_ONCE) for start in range(0, len(image), ROWS_AT_ONCE)]
    total, squares = 0.0, 0.0
    for block in blocks:
        part = image[block].astype(np.float64)
        total += float((part if weights is None else part * weights[block]).sum())
    mean = total / image.size
    for block in blocks:
        part = image[block].astype(np.float64) - mean
        squares += float(np.vdot(part, part if weights is None else part * weights[block]))
    return mean, float(np.sqrt(squares / image.size))


def _percentiles(image: Image, weights: Image | None) -> tuple[float, float]:
    if weights is None:
        low, high = np.percentile(image, PERCENTILES)
    else:
        shares = np.array(PERCENTILES) / 100
        low, high = np.quantile(image, shares, weights=weights, method="inverted_cdf")
    return float(low), float(high)
