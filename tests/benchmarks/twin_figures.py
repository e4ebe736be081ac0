"""Figures of twin images that are known of real ones: what each is, and how it is measured.

Real figures are from the published notebooks: of standardized images, or of patches of 512 pixels
as they are drawn there, about 131 points wide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, label
from scipy.spatial import ConvexHull

from studyspec.images.variability import roughness
from studyspec.twin.camera import add_xrays
from studyspec.twin.constants import CONSTANTS, FIELD_PX
from tests.benchmarks.twin_judges import Images

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
DISPLAY_NM = 0.07817
"""Pixel scale of patches as drawn in the notebooks."""
LONG_POINTS = 5.0
"""Slow variation is what a Gaussian of this sd leaves, in points of the display."""
LEAST_POINTS = 60
WHOLE_PX = 2000
"""A part of a label smaller than this is no whole particle."""
THINNED = 3
"""Medians of many pixels are taken of every third row and column."""


@dataclass(frozen=True)
class Value:
    """A figure of the twin and its standard error."""

    mean: float
    error: float


def jackknifed(figure: Callable[[Images], float], images: Images) -> Value:
    """A figure of all images; its error by leaving out one image after the other."""
    n = len(images)
    without = [figure(_chosen(images, np.arange(n) != left)) for left in range(n)]
    return Value(figure(images), float(np.sqrt((n - 1) * np.var(without))))


def mean_of(values: list[float]) -> Value:
    """Mean and its standard error."""
    known = np.array([value for value in values if np.isfinite(value)])
    if len(known) < 2:
        return Value(float("nan"), float("nan"))
    return Value(float(known.mean()), float(known.std(ddof=1) / np.sqrt(len(known))))


def contrast(images: Images) -> Value:
    """Median of the film less that of the particles, over all images."""
    thin = (slice(None), slice(None, None, THINNED), slice(None, None, THINNED))
    small = Images(images.pixels[thin], images.drawn[thin], images.exact[thin])

    def pooled(one: Images) -> float:
        film, particle = one.pixels[~one.drawn], one.pixels[one.drawn]
        return float(np.median(film) - np.median(particle))

    return jackknifed(pooled, small)


def median_roughness(images: Images) -> Value:
    """Median of the patches' roughness; its error that of a median of normal values."""
    found = np.array([roughness(pixels) for pixels in images.pixels])
    return Value(float(np.median(found)), float(1.25 * found.std(ddof=1) / np.sqrt(len(found))))


def bright_pixels(dose_e_per_A2: float, fields: int = 150, threshold: float = 1500.0) -> Value:
    """Pixels that x-rays lift by more than the threshold, in a field of the camera."""
    rng = np.random.default_rng(0)
    camera, gain = CONSTANTS.camera, float(np.mean(CONSTANTS.sessions.gain))
    electrons, edge = dose_e_per_A2 * 0.2**2, FIELD_PX // 4
    many = replace(camera, xrays_per_electron=camera.xrays_per_electron * 16)  # of 1/16 of a field
    found = []
    for _ in range(fields):
        counts = np.zeros((edge, edge), np.float32)
        add_xrays(counts, electrons, gain, rng, many)
        found.append(float((counts > threshold).sum()))
    return mean_of(found)


def display_ratio(images: Images, pixel_scale_nm: float) -> Value:
    """Variance in particles over that of the film in patches as drawn: the mean over them."""
    found = []
    for seen, particle in _displayed(images, pixel_scale_nm):
        if min(particle.sum(), (~particle).sum()) >= LEAST_POINTS:
            found.append(float(seen[particle].var() / seen[~particle].var()))
    return mean_of(found)


def long_wave(images: Images, pixel_scale_nm: float) -> Value:
    """Standard deviation of the film's slow variation in patches as drawn."""
    found = []
    for seen, particle in _displayed(images, pixel_scale_nm):
        film = ~particle
        weight = gaussian_filter(film.astype(float), LONG_POINTS)
        slow = gaussian_filter(np.where(film, seen, 0), LONG_POINTS) / np.maximum(weight, 1e-6)
        inside = film & (weight > 0.9)
        if inside.sum() > LEAST_POINTS**1.5:
            found.append(float(slow[inside].std()))
    return mean_of(found)


def share(images: Images) -> Value:
    """Share of the pixels that are labelled."""
    return mean_of([float(one.mean()) for one in images.drawn])


def particles(images: Images) -> Value:
    """Separate parts of a label; specks of fewer than 200 pixels left out."""
    sizes = (np.bincount(label(one)[0].ravel())[1:] for one in images.drawn)
    return mean_of([float((one > 200).sum()) for one in sizes])


def solidity(images: Images) -> Value:
    """Area of whole particles over that of their convex hull."""
    found = [value for one in images.drawn for value in _solidities(one)]
    return mean_of(found)


def _solidities(mask: Mask) -> Iterator[float]:
    parts, n = label(mask)
    for number in range(1, n + 1):
        inside = np.pad(parts == number, 1)
        rows, cols = np.nonzero(inside)
        cut = min(rows.min(), cols.min()) == 1 or max(rows.max(), cols.max()) == len(mask)
        if cut or len(rows) < WHOLE_PX:
            continue
        corners = [np.stack([rows + r, cols + c], 1) for r in (-0.5, 0.5) for c in (-0.5, 0.5)]
        yield len(rows) / float(ConvexHull(np.concatenate(corners)).volume)


def _displayed(images: Images, pixel_scale_nm: float) -> Iterator[tuple[Array, Mask]]:
    """Images and labels as drawn: one point for each DISPLAY_NM."""
    edge = images.pixels.shape[1]
    points = round(edge * pixel_scale_nm / DISPLAY_NM)
    weights = _hann(edge, points)
    nearest = ((np.arange(points) + 0.5) * edge / points).astype(int)
    for pixels, drawn in zip(images.pixels, images.drawn, strict=True):
        yield weights @ pixels @ weights.T, drawn[np.ix_(nearest, nearest)]


def _hann(edge: int, points: int) -> Array:
    """Weights of reduction by a Hann window, as drawing libraries reduce; (points, edge)."""
    middles = (np.arange(points) + 0.5) * edge / points
    away = (np.arange(edge) + 0.5)[None] - middles[:, None]
    reach = edge / points
    weights = np.where(np.abs(away) < reach, 0.5 + 0.5 * np.cos(np.pi * away / reach), 0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _chosen(images: Images, which: Mask) -> Images:
    return Images(images.pixels[which], images.drawn[which], images.exact[which])
