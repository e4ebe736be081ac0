"""Figures: statistics of a prepared image, and of what a network answers. Pure; knows no label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache

import numpy as np
import numpy.typing as npt

from studyspec.images.variability import BANDS

Image = npt.NDArray[np.float32]
LEAST = 1e-6
FLOOR = 1e-4
"""Added to shares of power before their logarithm."""
PATCHES = 12
"""Patches of an image that its statistics are made of."""


@dataclass(frozen=True)
class ImageFigures:
    """Statistics of prepared patches.

    Attributes
    ----------
    contrast
        Standard deviation.
    skewness, kurtosis
        Of a normal distribution both are 0.
    roughness
        log of sum |F|^2 k^2 / sum |F|^2, k in cycles per pixel; the mean over patches.
    power_0 to power_4
        log of the share of the power in each of `variability.BANDS`; the mean over patches.
    """

    contrast: float
    skewness: float
    kurtosis: float
    roughness: float
    power_0: float
    power_1: float
    power_2: float
    power_3: float
    power_4: float

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """All of them, in order."""
        return np.array([getattr(self, name) for name in FIGURES])


FIGURES = tuple(one.name for one in fields(ImageFigures))


@dataclass(frozen=True)
class Reference:
    """Figures of the images of a training set: mean and standard deviation of each, in order."""

    mean: tuple[float, ...]
    sd: tuple[float, ...]

    @classmethod
    def of(cls, images: Sequence[ImageFigures]) -> Reference | None:
        """Those of some images; None for fewer than two, which have no spread."""
        if len(images) < 2:
            return None
        values = np.array([one.values for one in images])
        mean, sd = values.mean(axis=0), values.std(axis=0, ddof=1)
        return cls(tuple(mean.tolist()), tuple(sd.tolist()))

    def strangeness(self, image: ImageFigures) -> npt.NDArray[np.float64]:
        """How far an image lies from them, figure by figure [sd], at most 20."""
        least = np.array([0.05, 0.1, 0.2, *(0.05,) * (len(FIGURES) - 3)])
        away = image.values - np.array(self.mean)
        return np.asarray(np.minimum(np.abs(away) / np.maximum(self.sd, least), 20.0))


def image_figures(patches: Sequence[Image]) -> ImageFigures:
    """Statistics of square patches of one prepared image; of some of them, if there are many."""
    some = patches[:: max(1, len(patches) // PATCHES)][:PATCHES]
    values = _flat(some)
    sd = float(values.std())
    centred = (values - values.mean()) / max(sd, LEAST)
    squares = centred * centred
    skewness = float(np.mean(squares * centred, dtype=np.float64))
    kurtosis = float(np.mean(squares * squares, dtype=np.float64)) - 3
    spectra = [_spectrum(patch) for patch in some]
    rough = float(np.mean([np.log(one.roughness + LEAST) for one in spectra]))
    power = np.mean([np.log(one.power + FLOOR) for one in spectra], axis=0)
    return ImageFigures(sd, skewness, kurtosis, rough, *(float(one) for one in power))


@dataclass(frozen=True)
class _Spectrum:
    roughness: float
    power: npt.NDArray[np.float64]


def _spectrum(patch: Image) -> _Spectrum:
    """Roughness, and shares of the power in `BANDS`, under a Hann window, without the mean."""
    window, squares, band = _frequencies(len(patch))
    power = np.abs(np.fft.rfft2((patch - patch.mean()) * window)) ** 2
    total = max(float(power.sum()), LEAST)
    sums = np.bincount(band, power.ravel(), len(BANDS) + 1)[1:-1]
    return _Spectrum(float((power * squares).sum()) / total, sums / total)


@cache
def _frequencies(edge: int) -> tuple[Image, npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """A Hann window, k^2 [cycles per pixel], and the band of each frequency, for patches."""
    hann = np.hanning(edge).astype(np.float32)
    squares = np.fft.fftfreq(edge)[:, None] ** 2 + np.fft.rfftfreq(edge)[None] ** 2
    return hann[:, None] * hann, squares, np.digitize(np.sqrt(squares), BANDS).ravel()


@dataclass(frozen=True)
class AnswerFigures:
    """Statistics of an answer.

    Attributes
    ----------
    confidence
        Soft dice confidence: 2 sum(p over the mask) / (sum(p) + mask) (arXiv 2402.10665).
    entropy
        Of the pixels [nat], per pixel of the mask.
    turned
        Dice of the answer with that for the turned image.
    certainty
        Mean probability within the mask; 0 if it is empty.
    particle
        Share of the pixels that are particle.
    """

    confidence: float
    entropy: float
    turned: float
    certainty: float
    particle: float


def answer_figures(plain: Sequence[Image], turned: Sequence[Image]) -> AnswerFigures:
    """Statistics of an answer for parts of one image, pixels pooled."""
    p, q = _flat(plain), _flat(turned)
    mask = p > 0.5
    inside, total, n = float(p[mask].sum()), float(p.sum()), int(mask.sum())
    clipped = np.clip(p, LEAST, 1 - LEAST)
    entropy = -(clipped * np.log(clipped) + (1 - clipped) * np.log(1 - clipped))
    return AnswerFigures(
        confidence=(2 * inside + 1) / (total + n + 1) if n else 0.0,
        entropy=float(entropy.sum()) / (n + 0.002 * p.size),
        turned=mask_dice(mask, q > 0.5),
        certainty=inside / n if n else 0.0,
        particle=n / p.size,
    )


def agreement(plain: Sequence[Image], others: Sequence[Sequence[Image]]) -> float | None:
    """Mean dice of an answer with each of others; None without others."""
    mask = _flat(plain) > 0.5
    found = [mask_dice(mask, _flat(other) > 0.5) for other in others]
    return float(np.mean(found)) if found else None


def consensus(plain: Sequence[Image], others: Sequence[Sequence[Image]]) -> float | None:
    """Dice of an answer with what others say on average; None without others."""
    if not others:
        return None
    mean = np.mean([_flat(other) for other in others], axis=0)
    return mask_dice(_flat(plain) > 0.5, mean > 0.5)


def mask_dice(one: npt.NDArray[np.bool_], other: npt.NDArray[np.bool_]) -> float:
    """Dice of two masks; of two empty ones 1."""
    both, total = int((one & other).sum()), int(one.sum()) + int(other.sum())
    return (2 * both + 1) / (total + 1)


def _flat(parts: Sequence[Image]) -> npt.NDArray[np.float32]:
    return np.concatenate([part.ravel() for part in parts])
