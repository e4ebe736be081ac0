"""Drawing: particles outlined on their image, with numbers and a scale bar."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image as Pictures
from PIL import ImageDraw

from studyspec.particles.measures import Image, Particle
from studyspec.particles.objects import Labels

N = TypeVar("N", bound=np.generic)
SMALLEST_PX, LARGEST_PX = 512, 2048
"""Shorter images are drawn larger, by a whole number, and longer ones smaller."""
INSIDE, AT_BORDER = (86, 180, 233), (230, 159, 0)
"""Outlines: of particles off the border, and of those that touch it (Okabe and Ito)."""
PALE, DARK = (255, 255, 255), (0, 0, 0)
CLIPPED = (0.5, 99.5)
"""Percentiles of the image that are black and white."""
BARS_NM = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def overlay(
    image: Image,
    labels: Labels,
    particles: tuple[Particle, ...],
    pixel_scale_nm: float | None = None,
) -> Pictures.Image:
    """An image (H, W) in grey with the outlines and numbers of its particles.

    Blue outlines are of particles off the border, orange ones of those that touch it, which are not
    in the size distribution. A bar of known length is drawn if the pixel scale is known.
    """
    from skimage.segmentation import find_boundaries

    longest = max(image.shape)
    thin, grow = -(-longest // LARGEST_PX), max(1, SMALLEST_PX // longest)
    grey, shown = _grown(_reduced(image, thin), grow), _grown(labels[::thin, ::thin], grow)
    colours = np.repeat(_shades(grey)[..., None], 3, axis=2)
    touching = np.zeros(int(labels.max(initial=0)) + 1, bool)
    touching[[one.particle for one in particles if one.touches_border]] = True
    edges = find_boundaries(shown, mode="inner")
    edges |= find_boundaries(shown, mode="outer") if max(grey.shape) >= LARGEST_PX // 2 else False
    near = _owners(shown)
    colours[edges & ~touching[near]] = INSIDE
    colours[edges & touching[near]] = AT_BORDER
    picture = Pictures.fromarray(colours)
    pen = ImageDraw.Draw(picture)
    for one in particles:
        at = tuple((c + 0.5) * grow / thin for c in (one.center_col_px, one.center_row_px))
        pen.text(at, str(one.particle), PALE, anchor="mm", stroke_width=1, stroke_fill=DARK)
    if pixel_scale_nm is not None:
        _bar(pen, grey.shape, pixel_scale_nm * thin / grow)
    return picture


def _bar(pen: ImageDraw.ImageDraw, shape: tuple[int, ...], scale_nm: float) -> None:
    """A bar of at most a quarter of the width."""
    height, width = shape
    fitting = [bar for bar in BARS_NM if bar / scale_nm <= width / 4]
    if not fitting:
        return
    length, thick, gap = fitting[-1] / scale_nm, max(4, height // 150), max(4, width // 50)
    top = height - gap - thick
    pen.rectangle((gap, top, gap + length, top + thick), PALE)
    text = f"{fitting[-1]:g} nm"
    pen.text((gap, top - 2), text, PALE, anchor="ld", stroke_width=1, stroke_fill=DARK)


def _reduced(image: Image, thin: int) -> Image:
    """The mean of each `thin` x `thin` pixels; as many as `image[::thin, ::thin]` has."""
    if thin == 1:
        return image
    pads = [(0, -edge % thin) for edge in image.shape]
    padded = np.pad(image, pads, mode="edge")
    rows, cols = (edge // thin for edge in padded.shape)
    return np.asarray(padded.reshape(rows, thin, cols, thin).mean(axis=(1, 3)), np.float32)


def _grown(array: npt.NDArray[N], grow: int) -> npt.NDArray[N]:
    """Each pixel as `grow` x `grow` of them."""
    return array.repeat(grow, axis=0).repeat(grow, axis=1)


def _shades(image: Image) -> npt.NDArray[np.uint8]:
    low, high = np.percentile(image, CLIPPED)
    spread = max(float(high - low), 1e-30)
    return np.asarray(255 * np.clip((image - low) / spread, 0, 1), np.uint8)


def _owners(labels: Labels) -> Labels:
    """For each pixel the particle on it or, beside it, the largest number next to it."""
    from scipy.ndimage import maximum_filter

    return np.where(labels > 0, labels, maximum_filter(labels, 3))
