"""Made-up scores with known differences, for the tests of the statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from studyspec.stats.scores import CellName, Scores


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
    images, folds = [], []
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
            cell: dict[str, Any] = {"variant": name.variant, "train": name.train, "test": name.test}
            cell |= {"split": name.split, "fold": fold}
            images += [
                cell
                | {"image_id": f"{name.test}/{m:02d}", "n_patches": 16}
                | {"dice": dice[fold, m], "oversegmentation": 1 - dice[fold, m]}
                for m in seen
            ]
            score = float(dice[fold, seen].mean())
            folds.append(cell | {"dice": score, "oversegmentation": 1 - score})
    variants: dict[str, Any] = {name.variant: {} for name in means}
    return Scores(folds, images, **({"variants": variants} | more))


def _sees(name: CellName, fold: int, micrograph: int, noise: Noise) -> bool:
    if name.train != name.test:
        return True
    mine = micrograph * noise.folds // noise.micrographs == fold
    return mine if name.split == "test" else not mine
