"""What is timed: each row's work, ours and the plain way's, on the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from studyspec.images.door import Labelled
from studyspec.images.pipeline import prepare
from studyspec.learn.batches import PatchSet
from studyspec.learn.building import build, default_model
from studyspec.learn.evaluation import evaluate
from studyspec.learn.training import train
from studyspec.spec.sections import PreprocessSettings, StageSettings
from studyspec.spec.uses import Learning, Pipeline
from studyspec.twin.simulation import simulate
from tests.benchmarks import plain
from tests.twin.scenes import CONDITIONS

PATCHES, SIZE, BATCH = 64, 128, 16
IMAGE_PX, TWIN_PX = 4096, 768
SEED = 962
Work = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes
    ----------
    title
        What is done.
    parts
        How many times one call does it: the table tells the time of one.
    make
        Gives our work and the plain way's (None: there is none), ready to be called.
    """

    title: str
    parts: int
    make: Callable[[], tuple[Work, Work | None]]


def patch_set(n: int) -> PatchSet:
    """Noise with a square particle in it."""
    images = np.random.default_rng(0).standard_normal((n, SIZE, SIZE)).astype(np.float32)
    labels = np.zeros(images.shape, np.uint8)
    labels[:, SIZE // 4 : SIZE // 2, SIZE // 4 : SIZE // 2] = 1
    return PatchSet(images, labels)


def training(precision: str) -> tuple[Work, Work]:
    """An epoch in random forms; of ours a validation of one patch is a part."""
    numbers = {"epochs": 1, "batch_size": BATCH, "precision": precision}
    tables = {"augment": {"dihedral": "random"}, "training": numbers}
    learning = Learning.of(StageSettings.model_validate(tables))
    patches, one = patch_set(PATCHES), patch_set(1)

    def plainly() -> None:
        torch.manual_seed(SEED)
        plain.train(plain.UNet(), patches.images, patches.labels, BATCH)

    return lambda: train(patches, one, learning, SEED), plainly


def evaluation() -> tuple[Work, Work]:
    """All patches as they are."""
    network, patches = build(default_model(), SEED), patch_set(PATCHES)
    theirs = plain.UNet()
    theirs.load_state_dict(network.state_dict())
    return (
        lambda: evaluate(network, patches.images, patches.labels, False),
        lambda: plain.dice(theirs, patches.images, patches.labels),
    )


def micrograph() -> tuple[
    np.ndarray[tuple[int, int], np.dtype[np.float32]],
    np.ndarray[tuple[int, int], np.dtype[np.bool_]],
]:
    """Counts with 200 x-rays, and a label with particles everywhere; made a few rows at a time."""
    rng = np.random.default_rng(0)
    image = np.empty((IMAGE_PX, IMAGE_PX), np.float32)
    for start in range(0, IMAGE_PX, 64):
        image[start : start + 64] = rng.poisson(2000, (64, IMAGE_PX))
    image[rng.integers(0, IMAGE_PX, 200), rng.integers(0, IMAGE_PX, 200)] += 9000
    label = np.zeros(image.shape, bool)
    label[::64, ::16] = True
    return image, label


def preprocessing() -> tuple[Work, Work]:
    """X-rays, flat field, rescaling, patches; ours changes a copy, whose making counts too."""
    image, label = micrograph()
    pipeline = Pipeline.of(PreprocessSettings())
    return (
        lambda: prepare(Labelled(image.copy(), label, None), pipeline, {}),
        lambda: plain.preprocess(image, label),
    )


def rendering() -> tuple[Work, None]:
    """A twin image of gold; the twin is its own method, so that there is no plain way."""
    conditions = replace(CONDITIONS, width_px=TWIN_PX, height_px=TWIN_PX)
    return lambda: simulate(conditions), None


ROWS = {
    "train-float32": Row("training step, float32, a patch", PATCHES, lambda: training("float32")),
    "train-bfloat16": Row(
        "training step, bfloat16, a patch", PATCHES, lambda: training("bfloat16")
    ),
    "evaluate": Row("evaluation, a patch", PATCHES, evaluation),
    "render": Row(f"a twin image of {TWIN_PX} px", 1, rendering),
    "prepare": Row(f"preprocessing {IMAGE_PX} x {IMAGE_PX}", 1, preprocessing),
}
