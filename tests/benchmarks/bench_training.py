"""Seconds per epoch of a training on one core, and what channels_last is worth there.

Run `python tests/benchmarks/bench_training.py`; times are processor time, the best of three.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F

from studyspec.learn.batches import PatchSet
from studyspec.learn.building import build, default_model
from studyspec.learn.evaluation import evaluate
from studyspec.learn.training import train
from studyspec.spec.sections import StageSettings
from studyspec.spec.uses import Learning

PATCHES, SIZE = 150, 128


def patch_set(n: int) -> PatchSet:
    """Noise with a square particle in it."""
    images = np.random.default_rng(0).standard_normal((n, SIZE, SIZE)).astype(np.float32)
    labels = np.zeros(images.shape, np.uint8)
    labels[:, SIZE // 4 : SIZE // 2, SIZE // 4 : SIZE // 2] = 1
    return PatchSet(images, labels)


def best_of(times: int, work: Callable[[], object]) -> float:
    """The least processor time of some runs [s]."""
    spent = []
    for _ in range(times):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent)


def epoch_s(batch_size: int, rho: float) -> float:
    """One epoch over the patches, validation of an eighth as many included [s]."""
    settings = StageSettings.model_validate(
        {
            "augment": {"dihedral": "random", "noise": {"rho": rho}},
            "training": {"epochs": 1, "batch_size": batch_size},
        }
    )
    training, validation = patch_set(PATCHES), patch_set(PATCHES // 8)
    return best_of(3, lambda: train(training, validation, Learning.of(settings), 962))


def step_s(contiguous: bool) -> float:
    """One step of a batch of 16, forwards and backwards [s]."""
    network = build(default_model(), 962)
    if contiguous:
        network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    x, y = torch.randn(16, 1, SIZE, SIZE), torch.ones(16, SIZE, SIZE, dtype=torch.int64)

    def step() -> None:
        F.cross_entropy(network(x), y).backward()  # type: ignore[no-untyped-call]

    step()
    return best_of(3, step)


def evaluation_s() -> float:
    """All patches in one form [s]."""
    patches, network = patch_set(PATCHES), build(default_model(), 962)
    return best_of(3, lambda: evaluate(network, patches.images, patches.labels, False))


def main() -> None:
    """Print the figures."""
    torch.set_num_threads(1)
    what = f"{PATCHES} patches of {SIZE} x {SIZE}"
    for batch_size in (16, 32):
        print(f"epoch, {what}, batch {batch_size}: {epoch_s(batch_size, 0.0):.2f} s")
    print(f"epoch, {what}, batch 16, with noise: {epoch_s(16, 0.5):.2f} s")
    print(f"evaluation, {what}, one form: {evaluation_s():.2f} s")
    ratio = step_s(contiguous=True) / step_s(contiguous=False)
    print(f"contiguous / channels_last, time of a step: {ratio:.2f}")


if __name__ == "__main__":
    main()
