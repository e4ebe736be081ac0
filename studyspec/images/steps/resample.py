"""Resampling: images of several magnifications brought to one pixel scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pydantic import Field

from studyspec.errors import FileError
from studyspec.plugins.contracts import Step
from studyspec.plugins.settings import Settings
from studyspec.plugins.values import Image, Mask, WorkingImage

SAME = 1e-3
"""Scales that differ by less, relatively, are one."""


class ResampleSettings(Settings):
    """Bringing images of several magnifications to one pixel scale."""

    pixel_scale_nm: float | None = Field(
        None,
        gt=0,
        description="Edge of a pixel that every image is resampled to, before rescaling [nm]; "
        "default: images stay as they are.",
        examples=[0.033],
    )


class Resample(Step[ResampleSettings]):
    """The step `[preprocess.resample]`."""

    name = "resample"
    settings = ResampleSettings
    standard = True
    position = 300
    reads = ("pixel_scale_nm",)

    def active(self, settings: ResampleSettings) -> bool:
        """If a scale is given."""
        return settings.pixel_scale_nm is not None

    def describe(self, settings: ResampleSettings) -> str:
        """The scale."""
        return f"resampled to {settings.pixel_scale_nm:g} nm a pixel, bilinearly"

    def shape(
        self,
        before: tuple[int, int],
        pixel_scale_nm: float | None,
        settings: ResampleSettings,
    ) -> tuple[int, int] | None:
        """As many pixels as `resample` makes; an unknown scale may stand in the image's file."""
        if pixel_scale_nm is None:
            return None
        factor = zoom_of(settings, pixel_scale_nm)
        return round(before[0] * factor), round(before[1] * factor)

    def apply(self, image: WorkingImage, settings: ResampleSettings) -> WorkingImage:
        """The image, its label and the weights of its frame at the new scale."""
        factor = zoom_of(settings, image.pixel_scale_nm)
        frame = image.frame
        if frame is not None:
            frame = replace(frame, weights=resample(frame.weights, factor))
        return replace(
            image,
            pixels=resample(image.pixels, factor),
            label=None if image.label is None else resample_label(image.label, factor),
            pixel_scale_nm=settings.pixel_scale_nm,
            frame=frame,
        )


RESAMPLE = Resample()


def zoom_of(settings: ResampleSettings, pixel_scale_nm: float | None) -> float:
    """How many pixels one pixel becomes along an edge; 1 if nothing is to be done.

    Raises
    ------
    FileError
        If the image's pixel scale is not known.
    """
    if settings.pixel_scale_nm is None:
        return 1.0
    if pixel_scale_nm is None:
        raise FileError(
            "its pixel scale is not known, so it cannot be resampled",
            hint="give pixel_scale_nm in the catalog",
        )
    factor = pixel_scale_nm / settings.pixel_scale_nm
    return 1.0 if abs(factor - 1) < SAME else factor


def resample(image: Image, factor: float) -> Image:
    """An image (H, W) with `factor` times as many pixels along each edge, bilinearly.

    Before it is made smaller it is smoothed (Gaussian, sd half of what a pixel grows by), so that
    what no pixel can show does not turn up as something else.
    """
    if factor == 1:
        return image
    from scipy.ndimage import gaussian_filter, zoom

    if factor < 1:
        image = gaussian_filter(image, (1 / factor - 1) / 2)
    found = zoom(image, factor, order=1, mode="nearest", grid_mode=True)
    return np.asarray(found, np.float32)


def resample_label(label: Mask, factor: float) -> Mask:
    """A label made as `resample` makes an image: particle where more than half of a pixel is."""
    return label if factor == 1 else resample(label.astype(np.float32), factor) > 0.5


def to_shape(image: Image, shape: tuple[int, ...]) -> Image:
    """An image stretched to a shape (H, W), bilinearly; undoes a resampling."""
    from scipy.ndimage import zoom

    factors = [wanted / n for wanted, n in zip(shape, image.shape, strict=True)]
    return np.asarray(zoom(image, factors, order=1, mode="nearest", grid_mode=True), np.float32)
