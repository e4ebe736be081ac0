"""Patches of discs in noise, and trainings of networks small enough for a test."""

from __future__ import annotations

from typing import Any

import numpy as np

from studyspec.learn.batches import PatchSet
from studyspec.plugins.contracts import Plugin
from studyspec.plugins.registry import Found, Provider
from studyspec.spec.sections import StageSettings
from studyspec.spec.uses import Bound, Learning, Use


def discs(n: int, seed: int = 0, size: int = 16, noise: float = 0.5) -> PatchSet:
    """Bright discs of radius size / 5 on a dark ground."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[:size, :size]
    centre = rng.uniform(0.25 * size, 0.75 * size, (2, n, 1, 1))
    labels = (rows - centre[0]) ** 2 + (cols - centre[1]) ** 2 < (size / 5) ** 2
    images = labels + noise * rng.standard_normal(labels.shape)
    return PatchSet(images.astype(np.float32), labels.astype(np.uint8))


def learning(**tables: Any) -> Learning:
    """Two epochs of a network of two filters on the plain patches, unless asked otherwise."""
    given = tables.pop("model", {})
    small = {} if str(given.get("name")).startswith("monai") else {"first_filters": 2}
    asked = tables.pop("training", {})
    length = {} if "steps" in asked else {"epochs": 2}
    training = length | {"batch_size": 4, "learning_rate": 1e-2} | asked
    augment = {"dihedral": "none"} | tables.pop("augment", {})
    tables |= {"model": small | given, "training": training, "augment": augment}
    return Learning.of(StageSettings.model_validate(tables, strict=False))


def model(**table: Any) -> Use:
    """The use of an architecture."""
    return Learning.of(StageSettings.model_validate({"model": table}, strict=False)).model


def others(plugin: Plugin, settings: Any = None) -> Bound[Any]:
    """A plug-in as if the distribution "extras" had brought it."""
    return Bound(Found(plugin, Provider("extras", "1.2"), "extras.things:IT"), settings)
