"""X-rays: single pixels far above the rest of the image, replaced by their surroundings."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from studyspec.plugins.contracts import Step
from studyspec.plugins.settings import Settings
from studyspec.plugins.values import Image, WorkingImage


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
    if float(image.max()) <= settings.threshold:  # the centre is not below 0
        return 0
    mean = float(image.mean(dtype=np.float64))
    center = mean if settings.center == "mean" else float(np.median(image))
    rows, cols = np.nonzero(image > center + settings.threshold)
    brightest = np.argsort(-image[rows, cols], kind="stable")
    height, width = image.shape
    for row, col in zip(rows[brightest], cols[brightest], strict=True):
        if 0 < row < height - 1 and 0 < col < width - 1:
            around = image[row - 1 : row + 2, col - 1 : col + 2]
            total = float(around.sum(dtype=np.float64)) - float(image[row, col])
            image[row, col] = total / 8
        else:
            image[row, col] = mean
    return len(rows)
