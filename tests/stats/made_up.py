"""Made-up scores with known differences, for the tests of the statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from studyspec.stats.scores import CellName, FoldScore, ImageScore, Scores


@dataclass(frozen=True)
class Noise:
    """How many micrographs and folds, and how much each part of a score varies (sd).

    `correlation` is that of the folds of a training set in one variant with those in another;
    `common` the share of the variance of networks that all folds of one training set have.
    """

    micrographs: int = 12
    folds: int = 5
    difficulty: float = 0.05
    liking: float = 0.01
    network: float = 0.003
    rest: float = 0.005
    correlation: float = 0.0
    common: float = 0.0


def scores(
    means: Mapping[CellName, float], noise: Noise | None = None, seed: int = 0, **more: Any
) -> Scores:
    """Scores of cells around their means; on the diagonal each fold sees micrographs of its own."""
    noise = noise or Noise()
    images: list[ImageScore] = []
    folds: list[FoldScore] = []
    for name, dice in tables(means, noise, np.random.default_rng(seed)).items():
        for fold in range(noise.folds):
            seen = [m for m in range(noise.micrographs) if sees(name, fold, m, noise)]
            images += [
                ImageScore(name, fold, _metrics(dice[fold, m]), f"{name.test}/{m:02d}", 16)
                for m in seen
            ]
            folds.append(FoldScore(name, fold, _metrics(float(dice[fold, seen].mean()))))
    variants: dict[str, Any] = {name.variant: {} for name in means}
    return Scores(folds, images, **({"variants": variants} | more))


def tables(
    means: Mapping[CellName, float], noise: Noise, random: np.random.Generator
) -> dict[CellName, Any]:
    """The score of every fold on every micrograph, shape (folds, micrographs), by cell.

    A test set's micrographs are as difficult for every network, a network's folds as good on every
    test set; each cell adds how it likes a micrograph, and a rest.
    """
    difficulty: dict[str, Any] = {}
    networks: dict[tuple[str, str], Any] = {}
    first: dict[str, Any] = {}
    found = {}
    for name, mean in means.items():
        shape = noise.folds, noise.micrographs
        easy = random.normal(0, noise.difficulty, shape[1])
        good = _networks(noise, random)
        easy = difficulty.setdefault(name.test, easy)
        if name.train in first:
            r = noise.correlation
            good = r * first[name.train] + np.sqrt(1 - r**2) * good
        good = networks.setdefault((name.variant, name.train), good)
        first.setdefault(name.train, good)
        dice = mean + easy + good[:, None]
        dice = dice + random.normal(0, noise.liking, shape[1]) + random.normal(0, noise.rest, shape)
        found[name] = dice
    return found


def _networks(noise: Noise, random: np.random.Generator) -> Any:
    """How good the network of each fold is; a part of it all of one training set have."""
    apart = random.normal(0, noise.network * np.sqrt(1 - noise.common), noise.folds)
    return apart + random.normal(0, noise.network * np.sqrt(noise.common))


def _metrics(dice: float) -> dict[str, float | None]:
    return {"dice": dice, "dice_micro": dice, "oversegmentation": 1 - dice}


def sees(name: CellName, fold: int, micrograph: int, noise: Noise) -> bool:
    """Whether a fold of a cell is tested on a micrograph."""
    if name.train != name.test:
        return True
    mine = micrograph * noise.folds // noise.micrographs == fold
    return mine if name.split == "test" else not mine
