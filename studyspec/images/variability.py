"""Statistics of prepared patches: how far images differ, whatever a network makes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue

from studyspec.spec.uses import Pipeline

Patch = npt.NDArray[np.float32]
Label = npt.NDArray[np.uint8]

BANDS = (0.0, 0.025, 0.05, 0.1, 0.2, 0.5)
"""Edges of the bands of a power spectrum [cycles per pixel]."""
BINS = 120
"""Bins of a histogram."""
SPAN = (-6.0, 6.0)
"""Where histograms begin and end if no step says between which intensities images lie."""


@dataclass(frozen=True)
class ImageStatistics:
    """Statistics of the patches of one image, in units of the rescaled intensity.

    Attributes
    ----------
    contrast
        Median of the background less median of the particles (Sytwu et al. 2023, S7); NaN where
        one of them is missing.
    film_sd, particle_sd
        Standard deviations of background and particles; NaN where there is none.
    skewness, kurtosis
        Of all pixels; of a normal distribution both are 0.
    roughness
        sum |F|^2 k^2 / sum |F|^2, k in cycles per pixel; the mean over patches.
    power
        Share of the power, without the mean, in each of `BANDS`; the mean over patches.
    """

    contrast: float
    film_sd: float
    particle_sd: float
    skewness: float
    kurtosis: float
    roughness: float
    power: tuple[float, ...]


SINGLE = tuple(f.name for f in fields(ImageStatistics) if f.name != "power")
"""The statistics that are one number."""


def describe(images: Patch, labels: Label) -> ImageStatistics:
    """Statistics of patches (N, P, P) with labels (N, P, P), 1 where there is particle.

    Raises
    ------
    ValueError
        If there is no patch.
    """
    if not len(images):
        raise ValueError("no patches")
    particle = labels > 0
    inside, outside = images[particle], images[~particle]
    values = images.astype(np.float64)
    centred = (values - values.mean()) / values.std()
    return ImageStatistics(
        contrast=float(np.median(outside) - np.median(inside)) if _both(particle) else np.nan,
        film_sd=float(outside.std()) if outside.size else np.nan,
        particle_sd=float(inside.std()) if inside.size else np.nan,
        skewness=float((centred**3).mean()),
        kurtosis=float((centred**4).mean() - 3),
        roughness=float(np.mean([roughness(patch) for patch in images])),
        power=tuple(np.mean([power_in_bands(patch) for patch in images], axis=0).tolist()),
    )


def with_noise(images: Patch, rho: float, rng: np.random.Generator) -> Patch:
    """(x + rho n) / sqrt(1 + rho^2), n standard normal, as in training; (N, P, P)."""
    if rho == 0:
        return images
    noise = rng.standard_normal(images.shape, np.float32)
    return np.asarray((images + rho * noise) / np.sqrt(1 + rho**2), np.float32)


def histograms(
    images: Patch, labels: Label, low: float, high: float
) -> tuple[list[int], list[int]]:
    """Pixels of particle and of background in each of `BINS` bins; what lies beyond is left out."""
    particle = labels > 0
    parts = (images[particle], images[~particle])
    inside, outside = (np.histogram(part, BINS, (low, high))[0].tolist() for part in parts)
    return inside, outside


def measured(
    images: Patch, labels: Label, rho: float, pipeline: Pipeline, rng: np.random.Generator
) -> dict[str, JsonValue]:
    """Statistics and histograms of the patches of one image with noise, as JSON values.

    Parameters
    ----------
    images, labels
        Patches (N, P, P) and their labels, 1 where there is particle.
    rho
        Strength of the noise, as `with_noise` adds it.
    pipeline
        How the image was prepared: its last step that says so tells where histograms begin and end.
    rng
        Where the noise comes from.
    """
    noisy = with_noise(images, rho, rng)
    low, high = span_of(pipeline)
    particle, background = histograms(noisy, labels, low, high)
    told = describe(noisy, labels)
    single = {name: getattr(told, name) for name in SINGLE}
    return {
        "rho": rho,
        "patches": len(images),
        **{name: None if math.isnan(value) else value for name, value in single.items()},
        "power": list(told.power),
        "low": low,
        "width": (high - low) / BINS,
        "particle": list(particle),
        "background": list(background),
    }


def span_of(pipeline: Pipeline) -> tuple[float, float]:
    """Between which intensities prepared images lie, roughly."""
    told = [step.plugin.span(step.settings) for step in pipeline.bound]
    return next((span for span in reversed(told) if span is not None), SPAN)


def _both(particle: npt.NDArray[np.bool_]) -> bool:
    return bool(particle.any() and not particle.all())


def roughness(patch: npt.NDArray[np.floating]) -> float:
    """Sum |F|^2 k^2 / sum |F|^2 of a square patch, k in cycles per pixel, no window."""
    power, squares = _spectrum(patch)
    total = power.sum()
    return float((power * squares).sum() / total) if total > 0 else 0.0


def power_in_bands(patch: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Share of a square patch's power, without its mean, in each of `BANDS`.

    A window (Hann) keeps the patch's edges out of it; what lies beyond the last band is left out.
    """
    window = np.hanning(len(patch))
    centred = patch.astype(np.float64) - patch.mean(dtype=np.float64)
    power, squares = _spectrum(centred * window[:, None] * window)
    sums, _ = np.histogram(np.sqrt(squares), BANDS, weights=power)
    total = sums.sum()
    return np.asarray(sums / total if total > 0 else sums)


def _spectrum(
    patch: npt.NDArray[np.floating],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """|F|^2 and k^2 on the half plane; columns that stand for two count twice."""
    n = len(patch)
    power = np.abs(np.fft.rfft2(patch)) ** 2
    twice = np.full(power.shape[1], 2.0)
    twice[0] = 1.0
    if n % 2 == 0:
        twice[-1] = 1.0
    squares = np.fft.fftfreq(n)[:, None] ** 2 + np.fft.rfftfreq(n)[None] ** 2
    return power * twice, squares
