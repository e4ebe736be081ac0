"""Patches of discs in noise, and settings for networks small enough to train in a test."""

from __future__ import annotations

from typing import Any

import numpy as np

from studyspec.learn.training import PatchSet
from studyspec.spec.settings import StageSettings


def discs(n: int, seed: int = 0, size: int = 16, noise: float = 0.5) -> PatchSet:
    """Bright discs of radius size / 5 on a dark ground."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[:size, :size]
    centre = rng.uniform(0.25 * size, 0.75 * size, (2, n, 1, 1))
    labels = (rows - centre[0]) ** 2 + (cols - centre[1]) ** 2 < (size / 5) ** 2
    images = labels + noise * rng.standard_normal(labels.shape)
    return PatchSet(images.astype(np.float32), labels.astype(np.uint8))


def settings(**tables: Any) -> StageSettings:
    """Two epochs of a network of two filters on the plain patches, unless asked otherwise."""
    model = {"first_filters": 2} | tables.pop("model", {})
    training = {"epochs": 2, "batch_size": 4, "learning_rate": 1e-2} | tables.pop("training", {})
    augment = {"dihedral": "none"} | tables.pop("augment", {})
    return StageSettings.model_validate(
        {"model": model, "training": training, "augment": augment} | tables
    )
