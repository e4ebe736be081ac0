"""A tiny real study on .npy images: what the tests of the runner run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from studyspec.catalog.row import ImageRow
from studyspec.images.source import Source
from studyspec.plan.datasets import PlannedImage, ResolvedDataset
from studyspec.plan.expansion import expand_jobs
from studyspec.plan.jobs import Job
from studyspec.plan.preparation import Files
from studyspec.spec.filters import DatasetFilter
from studyspec.spec.settings import StageSettings
from studyspec.spec.variants import Variant

SIZE = 64


def settings(folds: int = 2, epochs: int = 2) -> StageSettings:
    """Patches of 16 pixels, a network of one filter, no augmentation."""
    return StageSettings.model_validate(
        {
            "preprocess": {"patch": {"size": 16, "min_particle_px": 0}},
            "augment": {"dihedral": "none", "rotation": {"probability": 0}},
            "model": {"first_filters": 1},
            "training": {"epochs": epochs, "precision": "float32"},
            "cross_validation": {"folds": folds},
            "evaluation": {"dihedral": False},
        }
    )


def write_image(folder: Path, name: str, seed: int) -> ImageRow:
    """An image of noise with bright discs, and its label."""
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).normal(100, 10, (SIZE, SIZE))
    rows, cols = np.mgrid[:SIZE, :SIZE]
    label = (rows % 16 - 8) ** 2 + (cols % 16 - 8) ** 2 < 25
    np.save(folder / f"{name}.npy", (noise + 50 * label).astype(np.float32))
    np.save(folder / f"{name}_label.npy", label.astype(np.uint8))
    return ImageRow(name, "mine", f"{name}.npy", f"{name}_label.npy")


def dataset(folder: Path, name: str, n: int = 2) -> ResolvedDataset:
    """A dataset of n images in a folder."""
    source = Source(folder / "catalog.parquet", folder / "cache")
    images = []
    for i in range(n):
        row = write_image(folder, f"{name}-{i}", 100 * sum(name.encode()) + i)
        found = source.identity(row, "drawn")
        images.append(PlannedImage(row, "drawn", found.image_sha256, found.label_sha256))
    return ResolvedDataset(name, DatasetFilter(), tuple(images))


def study(folder: Path, names: str = "AB", folds: int = 2, epochs: int = 2) -> tuple[Job, ...]:
    """Every dataset against every other one."""
    datasets = {name: dataset(folder, name) for name in names}
    pairs = tuple((train, test) for train in names for test in names)
    variant = Variant("base", settings(folds, epochs), pairs)
    files = Files(str(folder / "catalog.parquet"), str(folder / "cache"))
    return expand_jobs([variant], datasets, files).jobs
