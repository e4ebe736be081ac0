"""Rescaling: the intensity scale that a network sees."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from studyspec.errors import FileError
from studyspec.spec.settings import RescaleSettings

Image = npt.NDArray[np.float32]

ROWS_AT_ONCE = 256
PERCENTILES = (1.0, 99.0)


def rescale(image: Image, settings: RescaleSettings) -> Image:
    """Rescale an image in place, as `settings.method` says.

    Parameters
    ----------
    image
        Shape (H, W), float32; changed.

    Returns
    -------
    Image
        The same array.

    Raises
    ------
    FileError
        If all pixels are equal.
    """
    if settings.method == "standardize":
        center, width = mean_and_sd(image)
    elif settings.method == "normalize":
        low, high = float(image.min()), float(image.max())
        center, width = low, high - low
    else:
        low, high = (float(value) for value in np.percentile(image, PERCENTILES))
        center, width = low, high - low
    if not width > 0:
        raise FileError("all pixels are equal: the image holds nothing", hint="leave it out")
    image -= np.float32(center)
    image /= np.float32(width)
    if settings.method == "histogram" and settings.clip:
        np.clip(image, 0, 1, out=image)
    return image


def mean_and_sd(image: Image) -> tuple[float, float]:
    """Mean and standard deviation (ddof 0) in double precision, a few rows at a time."""
    mean = float(image.mean(dtype=np.float64))
    squares = 0.0
    for start in range(0, len(image), ROWS_AT_ONCE):
        block = image[start : start + ROWS_AT_ONCE].astype(np.float64)
        block -= mean
        squares += float(np.vdot(block, block))
    return mean, float(np.sqrt(squares / image.size))
