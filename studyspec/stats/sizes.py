"""Sizes: the size distribution of particles, as found and corrected for what segmentation adds.

Number-based: each particle counts once. Images, not particles, are drawn anew for intervals, as
particles of one image are alike; where sizes are corrected, the labelled images are drawn anew too.

References
----------
.. [1] ISO 21363:2020, Nanotechnologies, particle size distributions by TEM: what is counted, and
   what is told.
.. [2] T. C. Hesterberg, What Teachers Should Know About the Bootstrap, Am. Stat. 69 (2015): why the
   percentiles of few units are moved outwards.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from studyspec.stats.intervals import LEVEL
from studyspec.store.particle_sums import Moments, SizeSums

Floats = npt.NDArray[np.float64]
Border = Literal["exclude", "include"]
DRAWS = 2000
HELD = 2_000_000
"""Numbers that are held at once."""
FEW = 6
"""From fewer images an interval is rough."""
QUANTILES = {"d10": 0.1, "d25": 0.25, "median": 0.5, "d75": 0.75, "d90": 0.9}
NAMES = ("per_image", "mean", "sd", *QUANTILES)
LABELS = ("particles per image", "mean [nm]", "sd [nm]", "10 % below [nm]", "25 % below [nm]",
          "median [nm]", "75 % below [nm]", "90 % below [nm]")  # fmt: skip
BORDERS: dict[Border, str] = {
    "exclude": "particles that touch the border of an image are left out",
    "include": "particles that touch the border of an image are counted with the part that shows",
}


@dataclass(frozen=True)
class Measured:
    """Equivalent diameters of the particles of an image that count [nm], and how many do not."""

    diameters_nm: tuple[float, ...]
    left_out: int = 0


@dataclass(frozen=True)
class Bounded:
    """A number with its 95 % interval; None where it cannot be told."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Figure:
    """A number of the distribution, as found and corrected; `corrected` is None without tests."""

    name: str
    label: str
    found: Bounded
    corrected: Bounded | None


@dataclass(frozen=True)
class Bin:
    """Particles of a range of diameters, as found."""

    low_nm: float
    high_nm: float
    particles: int


@dataclass(frozen=True)
class SizeError:
    """What segmentation adds to diameters, as labelled images tell.

    Attributes
    ----------
    factor
        Diameters come out this much too large (geometric mean).
    added
        What the variance of ln(diameter) grows by; below zero where it shrinks.
    number
        Particles predicted for each labelled one.
    images
        How many labelled images tell it.
    """

    factor: float
    added: float
    number: float
    images: int


@dataclass(frozen=True)
class SizeDistribution:
    """The distribution of equivalent diameters.

    Attributes
    ----------
    images, particles, left_out
        How many there are, and how many particles were left out at a border.
    border
        The rule for these, in words.
    figures
        Mean, sd (ddof 1), percentiles, number per image.
    bins
        A histogram.
    error
        What the correction took away; None if nothing is known of it.
    notes
        What a reader should know.
    """

    images: int
    particles: int
    left_out: int
    border: str
    figures: tuple[Figure, ...]
    bins: tuple[Bin, ...]
    error: SizeError | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Sample:
    """All diameters in rising order [nm], their images, and how many images there are."""

    diameters: Floats
    image: npt.NDArray[np.int64]
    images: int


def distribution(
    measured: Sequence[Measured], tested: Sequence[SizeSums] = (), border: Border = "exclude",
    seed: int = 0,
    draws: int = DRAWS,
) -> SizeDistribution:  # fmt: skip
    """The size distribution of the particles of some images.

    Parameters
    ----------
    measured
        The particles of each image, those without any too.
    tested
        What tests on labelled images say of the networks' sizes. ln(diameter) is moved by the mean
        error, and its variance made smaller by what segmentation adds; so it is supposed that the
        labelled images are like these.
    border
        The rule by which particles at a border were treated; told, not applied.
    seed, draws
        Of the bootstrap: what its random numbers start from, and how many draws.
    """
    sample, tests = _sample(measured), _table(tested)
    left_out = sum(one.left_out for one in measured)
    error = _error(tests)
    rng = np.random.default_rng(seed)
    once = np.ones((1, sample.images))
    found = _figures(sample, once)[0]
    drawn = list(_draws(sample, tests if error else tests[:0], draws, rng))
    plain = np.concatenate([part for part, _ in drawn]) if drawn else np.empty((0, len(NAMES)))
    level = _outer(sample.images)
    told = [_bounded(value, plain[:, i], level) for i, value in enumerate(found)]
    mended: list[Bounded | None] = [None] * len(NAMES)
    if error is not None:
        values = _figures(sample, once, np.array([[error.factor, error.added, error.number]]))[0]
        both = np.concatenate([part for _, part in drawn]) if drawn else plain
        level = _outer(min(sample.images, error.images))
        mended = [_bounded(value, both[:, i], level) for i, value in enumerate(values)]
    figures = tuple(Figure(*parts) for parts in zip(NAMES, LABELS, told, mended, strict=True))
    return SizeDistribution(
        images=sample.images,
        particles=len(sample.diameters),
        left_out=left_out,
        border=BORDERS[border],
        figures=figures,
        bins=_bins(sample.diameters),
        error=error,
        notes=(*_border_notes(sample, left_out), *_notes(sample, error, bool(len(tested)))),
    )


def _sample(measured: Sequence[Measured]) -> _Sample:
    diameters = np.array([d for one in measured for d in one.diameters_nm], np.float64)
    image = np.repeat(np.arange(len(measured)), [len(one.diameters_nm) for one in measured])
    order = np.argsort(diameters, kind="stable")
    return _Sample(diameters[order], image[order], len(measured))


def _table(tested: Sequence[SizeSums]) -> Floats:
    """(T, 6): the moments of label and prediction of each labelled image."""

    def row(of: Moments) -> list[float]:
        return [of.n, of.log, of.log2]

    rows = [[*row(one.labelled), *row(one.predicted)] for one in tested]
    return np.array(rows, np.float64).reshape(len(rows), 6)


def _errors(sums: Floats) -> Floats:
    """Factor, added variance and number (B, 3) from summed moments (B, 6); nan where unknown."""
    with np.errstate(divide="ignore", invalid="ignore"):
        n, log, log2, m, seen, seen2 = sums.T
        factor = np.exp(seen / m - log / n)
        added = (seen2 / m - (seen / m) ** 2) - (log2 / n - (log / n) ** 2)
        return np.stack([factor, added, m / n], axis=1)


def _error(tests: Floats) -> SizeError | None:
    (row,) = _errors(tests.sum(axis=0)[None])
    if not np.isfinite(row).all():
        return None
    factor, added, number = (float(value) for value in row)
    return SizeError(factor, added, number, len(tests))


def _draws(
    sample: _Sample, tests: Floats, draws: int, rng: np.random.Generator
) -> Iterator[tuple[Floats, Floats]]:
    """Figures of images drawn anew, as found and corrected, a few draws at a time."""
    if sample.images < 2 or not len(sample.diameters):
        return
    held = max(1, HELD // len(sample.diameters))
    for start in range(0, draws, held):
        n = min(held, draws - start)
        weights = _multiples(sample.images, n, rng)
        plain = _figures(sample, weights)
        if len(tests) > 1:
            errors = _errors(_multiples(len(tests), n, rng) @ tests)
            yield plain, _figures(sample, weights, errors)
        else:
            yield plain, np.full_like(plain, np.nan)


def _multiples(units: int, draws: int, rng: np.random.Generator) -> Floats:
    """How often each unit is drawn, (draws, units)."""
    return rng.multinomial(units, np.full(units, 1 / units), draws).astype(np.float64)


def _figures(sample: _Sample, weights: Floats, errors: Floats | None = None) -> Floats:
    """The figures (B, F) of images that count `weights` (B, I); corrected by `errors` (B, 3)."""
    counts = weights[:, sample.image]
    total = counts.sum(axis=1)
    values, number = sample.diameters[None], np.ones(len(weights))
    with np.errstate(divide="ignore", invalid="ignore"):
        if errors is not None:
            values, number = _corrected(sample.diameters, counts, errors), 1 / errors[:, 2]
        mean = (counts * values).sum(axis=1) / total
        square = (counts * (values - mean[:, None]) ** 2).sum(axis=1)
        sd = np.where(total > 1, np.sqrt(square / (total - 1)), np.nan)
        per_image = number * total / weights.sum(axis=1)
    quantiles = [_quantile(values, counts, q) for q in QUANTILES.values()]
    return np.stack([per_image, mean, sd, *quantiles], axis=1)


def _corrected(diameters: Floats, counts: Floats, errors: Floats) -> Floats:
    """Diameters (B, N) without what segmentation adds, still in rising order."""
    logs, total = np.log(diameters)[None], counts.sum(axis=1, keepdims=True)
    mean = (counts * logs).sum(axis=1, keepdims=True) / total
    variance = (counts * (logs - mean) ** 2).sum(axis=1, keepdims=True) / total
    shrink = np.sqrt(np.clip(1 - errors[:, 1:2] / variance, 0, None))
    shrink = np.where(variance > 0, shrink, 1.0)
    return np.asarray(np.exp(mean - np.log(errors[:, :1]) + (logs - mean) * shrink))


def _quantile(values: Floats, counts: Floats, q: float) -> Floats:
    """A percentile of counted values (B or 1, N) in rising order; the mean of two at a step."""
    if not values.size:
        return np.full(len(counts), np.nan)
    reached, wanted = np.cumsum(counts, axis=1), q * counts.sum(axis=1, keepdims=True)
    rounding = 1e-9 * (1 + wanted)
    last = values.shape[1] - 1
    low = np.minimum((reached < wanted - rounding).sum(axis=1), last)
    high = np.minimum((reached <= wanted + rounding).sum(axis=1), last)
    rows = np.arange(len(counts)) if len(values) > 1 else np.zeros(len(counts), int)
    found = (values[rows, low] + values[rows, high]) / 2
    return np.where(wanted[:, 0] > 0, found, np.nan)


def _outer(units: int) -> tuple[float, float]:
    """The percentiles of draws of some units whose interval has level `LEVEL` for a mean [2]_."""
    if units < 2:
        return math.nan, math.nan
    t = special.stdtrit(units - 1, (1 + LEVEL) / 2)
    upper = float(special.ndtr(t * math.sqrt(units / (units - 1))))
    return 100 * (1 - upper), 100 * upper


def _bounded(value: float, draws: Floats, level: tuple[float, float]) -> Bounded:
    known = draws[np.isfinite(draws)]
    if not math.isfinite(value):
        return Bounded(None)
    if not known.size or math.isnan(level[0]):
        return Bounded(float(value))
    low, high = np.percentile(known, level)
    return Bounded(float(value), float(low), float(high))


def _bins(diameters: Floats) -> tuple[Bin, ...]:
    if not len(diameters):
        return ()
    counts, edges = np.histogram(diameters, "fd" if len(diameters) > 1 else 1)
    return tuple(
        Bin(float(low), float(high), int(n))
        for low, high, n in zip(edges[:-1], edges[1:], counts, strict=True)
    )


def _border_notes(sample: _Sample, left_out: int) -> Iterator[str]:
    if left_out >= len(sample.diameters) > 0:
        share = left_out / (left_out + len(sample.diameters))
        yield (
            f"{100 * share:.0f} % of the particles touch a border, large ones more often than "
            "small ones: sizes are too small"
        )


def _notes(sample: _Sample, error: SizeError | None, tested: bool) -> Iterator[str]:
    if sample.images < 2:
        yield "one image tells nothing of others: no intervals"
    elif sample.images < FEW:
        yield f"intervals from {sample.images} images are rough"
    if error is None:
        why = "no particle off the border was in" if tested else "the store knows no"
        yield f"not corrected: {why} labelled test images of these networks"
        return
    yield "corrected as far as these images are like the labelled ones"
    if error.images < 2:
        yield "one labelled image tells nothing of others: no intervals of what is corrected"
    elif error.images < FEW:
        yield f"intervals of what is corrected, from {error.images} labelled images, are rough"
    spread = float(np.log(sample.diameters).var()) if len(sample.diameters) else 0.0
    if 0 < spread <= error.added:
        yield "sizes scatter no more than segmentation makes them: corrected, they are all one"
