"""Scores of networks on a test set, image by image, with intervals; empty regions apart.

Dice of an image is over all of its pixels at once: 2 TP / (2 TP + FP + FN). An image without
particles has none; what is seen in it is told as false particles per square micrometre.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from studyspec.stats.intervals import Estimate, Resampled, mean_term
from studyspec.store.tested import TestedPatch

REPLICATES, SEED = 2000, 0
LEAST_PATCHES = 4
"""Fewer labelled patches of an image tell nothing of the spread within it."""
NM2_IN_UM2 = 1e6
Interval = tuple[float, float]


@dataclass(frozen=True)
class Region:
    """Part of a test set: false particles in it, its patches, and its area if that is known."""

    patches: int
    false_particles: int
    area_um2: float | None

    @property
    def density(self) -> float | None:
        """False particles per µm²; None if the area is not known, or there is none."""
        return self.false_particles / self.area_um2 if self.area_um2 else None


@dataclass(frozen=True)
class ImageScore:
    """One image by one network.

    Attributes
    ----------
    dice, interval
        Of its pixels, None where nothing is labelled; 95 % by a bootstrap over its labelled
        patches, None if they are fewer than four.
    region
        All of it that was scored.
    """

    image_id: str
    dice: float | None
    interval: Interval | None
    region: Region

    @property
    def order(self) -> tuple[float, float]:
        """Where it stands among the worst first; images without particles follow the others."""
        dice = math.inf if self.dice is None else self.dice
        return dice, -(self.region.density or self.region.false_particles)


@dataclass(frozen=True)
class NetworkScore:
    """One network on all images.

    Attributes
    ----------
    network, conditions
        Its name, and what it was trained on, in words.
    dice, interval
        Mean over the images with particles, and its 95 % interval (t over images); None if there
        are none, or fewer than two.
    n
        How many images these are.
    whole, empty
        All that was scored, and the patches in which nothing is labelled.
    images
        The worst first.
    missing
        Images that have no score.
    """

    network: str
    conditions: str
    dice: float | None
    interval: Interval | None
    n: int
    whole: Region
    empty: Region
    images: tuple[ImageScore, ...]
    missing: tuple[str, ...] = ()


def network_scores(
    patches: Iterable[TestedPatch],
    image_ids: Collection[str],
    scales_nm: Mapping[str, Mapping[str, float]],
) -> tuple[NetworkScore, ...]:
    """The scores of all networks, the best first.

    Parameters
    ----------
    patches
        Of all networks and images.
    image_ids
        The images that should have been scored.
    scales_nm
        For each network the edge of a pixel of each image as it saw it [nm], where it is known.
    """
    by_network: dict[str, list[TestedPatch]] = {}
    for patch in patches:
        by_network.setdefault(patch.network, []).append(patch)
    found = [
        _network(name, mine, image_ids, scales_nm.get(name, {}))
        for name, mine in by_network.items()
    ]
    return tuple(sorted(found, key=lambda one: (-(one.dice or 0.0), one.network)))


def _network(
    name: str,
    patches: Sequence[TestedPatch],
    image_ids: Collection[str],
    scales_nm: Mapping[str, float],
) -> NetworkScore:
    by_image: dict[str, list[TestedPatch]] = {}
    for patch in patches:
        by_image.setdefault(patch.image_id, []).append(patch)
    images = [_image(image, mine, scales_nm) for image, mine in by_image.items()]
    dice = np.array([one.dice for one in images if one.dice is not None])
    interval = None
    if len(dice) > 1:
        term = mean_term(dice)
        low, high = Estimate(float(dice.mean()), term.variance, term.degrees).interval()
        interval = max(0.0, low), min(1.0, high)
    return NetworkScore(
        network=name,
        conditions="",
        dice=float(dice.mean()) if len(dice) else None,
        interval=interval,
        n=len(dice),
        whole=_region(patches, scales_nm),
        empty=_region([one for one in patches if one.empty], scales_nm),
        images=tuple(sorted(images, key=lambda one: (one.order, one.image_id))),
        missing=tuple(sorted(set(image_ids) - by_image.keys())),
    )


def _image(
    image_id: str, patches: Sequence[TestedPatch], scales_nm: Mapping[str, float]
) -> ImageScore:
    counts = np.array([(p.tp, p.fp, p.fn) for p in patches], float)
    labelled = sum(not p.empty for p in patches)
    if not labelled:
        return ImageScore(image_id, None, None, _region(patches, scales_nm))
    interval = None
    if labelled >= LEAST_PATCHES:
        rng = np.random.default_rng(SEED)
        drawn = rng.integers(0, len(counts), (REPLICATES, len(counts)))
        replicates = _dice(counts[drawn].sum(axis=1))
        interval = Resampled(float(_dice(counts.sum(axis=0))), replicates).interval()
    return ImageScore(
        image_id, float(_dice(counts.sum(axis=0))), interval, _region(patches, scales_nm)
    )


def _dice(counts: np.ndarray) -> np.ndarray:
    """Dice of counts (..., 3) of TP, FP and FN; 1 where there is nothing and nothing is seen."""
    tp, fp, fn = np.moveaxis(counts, -1, 0)
    wrong = 2 * tp + fp + fn
    return np.asarray(np.where(wrong > 0, 2 * tp / np.maximum(wrong, 1), 1.0))


def _region(patches: Sequence[TestedPatch], scales_nm: Mapping[str, float]) -> Region:
    scales = [scales_nm.get(one.image_id) for one in patches]
    area = None
    if all(scale is not None for scale in scales):
        pairs = zip(patches, scales, strict=True)
        area = sum(p.pixels * s**2 for p, s in pairs if s is not None) / NM2_IN_UM2
    return Region(len(patches), sum(p.false_particles for p in patches), area)
