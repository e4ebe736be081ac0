"""Made-up scores with known differences, for the tests of the statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from studyspec.stats.scores import CellName, FoldScore, ImageScore, Scores


@dataclass(frozen=True)
class Noise:
    """How many micrographs and folds, and how much each part of a score varies (sd)."""

    micrographs: int = 12
    folds: int = 5
    difficulty: float = 0.05
    liking: float = 0.01
    network: float = 0.003
    rest: float = 0.005


def scores(
    means: Mapping[CellName, float], noise: Noise | None = None, seed: int = 0, **more: Any
) -> Scores:
    """Scores of cells around their means; on the diagonal each fold sees micrographs of its own.

    A test set's micrographs are as difficult for every network, a network's folds as good on every
    test set; each cell adds how it likes a micrograph, and a rest.
    """
    noise, random = noise or Noise(), np.random.default_rng(seed)
    difficulty: dict[str, Any] = {}
    networks: dict[tuple[str, str], Any] = {}
    images: list[ImageScore] = []
    folds: list[FoldScore] = []
    for name, mean in means.items():
        shape = noise.folds, noise.micrographs
        easy = random.normal(0, noise.difficulty, shape[1])
        good = random.normal(0, noise.network, shape[0])
        easy = difficulty.setdefault(name.test, easy)
        good = networks.setdefault((name.variant, name.train), good)
        dice = mean + easy + good[:, None]
        dice = dice + random.normal(0, noise.liking, shape[1]) + random.normal(0, noise.rest, shape)
        for fold in range(noise.folds):
            seen = [m for m in range(noise.micrographs) if _sees(name, fold, m, noise)]
            images += [
                ImageScore(name, fold, _metrics(dice[fold, m]), f"{name.test}/{m:02d}", 16)
                for m in seen
            ]
            folds.append(FoldScore(name, fold, _metrics(float(dice[fold, seen].mean()))))
    variants: dict[str, Any] = {name.variant: {} for name in means}
    return Scores(folds, images, **({"variants": variants} | more))


def _metrics(dice: float) -> dict[str, float | None]:
    return {"dice": dice, "oversegmentation": 1 - dice}


def _sees(name: CellName, fold: int, micrograph: int, noise: Noise) -> bool:
    if name.train != name.test:
        return True
    mine = micrograph * noise.folds // noise.micrographs == fold
    return mine if name.split == "test" else not mine
