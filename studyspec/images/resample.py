"""Resampling: images of several magnifications brought to one pixel scale."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, zoom

from studyspec.errors import FileError
from studyspec.spec.settings import ResampleSettings

Image = npt.NDArray[np.float32]
SAME = 1e-3
"""Scales that differ by less, relatively, are one."""


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
    if factor < 1:
        image = gaussian_filter(image, (1 / factor - 1) / 2)
    found = zoom(image, factor, order=1, mode="nearest", grid_mode=True)
    return np.asarray(found, np.float32)


def resample_label(label: npt.NDArray[np.bool_], factor: float) -> npt.NDArray[np.bool_]:
    """A label made as `resample` makes an image: particle where more than half of a pixel is."""
    return label if factor == 1 else resample(label.astype(np.float32), factor) > 0.5


def to_shape(image: Image, shape: tuple[int, ...]) -> Image:
    """An image stretched to a shape (H, W), bilinearly; undoes a resampling."""
    factors = [wanted / n for wanted, n in zip(shape, image.shape, strict=True)]
    return np.asarray(zoom(image, factors, order=1, mode="nearest", grid_mode=True), np.float32)
