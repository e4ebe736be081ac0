"""A median filter, between flat field and resampling."""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field
from scipy.ndimage import median_filter

from studyspec.plugins.contracts import Step
from studyspec.plugins.settings import Settings
from studyspec.plugins.values import WorkingImage


class MedianSettings(Settings):
    """Median filter."""

    size: int = Field(3, ge=2, description="Edge of the window [px].")


class Median(Step[MedianSettings]):
    """The step `[preprocess.median]`."""

    name = "median"
    settings = MedianSettings
    recipe = 1
    position = 250  # after the flat field (200), before resampling (300)

    def describe(self, settings: MedianSettings) -> str:
        """The window."""
        return f"median filter of {settings.size} x {settings.size} pixels"

    def apply(self, image: WorkingImage, settings: MedianSettings) -> WorkingImage:
        """The image filtered."""
        return replace(image, pixels=median_filter(image.pixels, settings.size))


MEDIAN = Median()
