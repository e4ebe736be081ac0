"""Preprocessing of one 4096 x 4096 image: seconds, memory, and a separable against a dense fit.

Run: python tests/benchmarks/bench_prepare.py
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

import numpy as np

from studyspec.images.door import Labelled
from studyspec.images.pipeline import prepare
from studyspec.images.steps.flat_field import (
    FlatFieldSettings,
    bernstein,
    block_means,
    fit_surface,
)
from studyspec.spec.sections import PreprocessSettings
from studyspec.spec.uses import Pipeline

SIZE = 4096


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call [s]."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def dense_fit(image: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> None:
    """The same surface with every basis image at full size."""
    rows, cols = (bernstein(n, 2) for n in image.shape)
    basis = [np.outer(r, c) for r in rows.T for c in cols.T]
    reduced = np.stack([block_means(b, 4).ravel() for b in basis], axis=1)
    data = block_means(image, 4).ravel()
    weights = np.ones_like(data)
    for _ in range(2):
        c = np.linalg.lstsq(reduced * weights[:, None], data * weights, rcond=None)[0]
        squares = (data - reduced @ c) ** 2
        weights = np.exp(-3 * squares / (2 * squares.mean()))
    sum(k * b for k, b in zip(c, basis, strict=True))


def main() -> None:
    """Print the figures."""
    rng = np.random.default_rng(0)
    image = rng.poisson(2000, (SIZE, SIZE)).astype(np.float32)
    image[rng.integers(0, SIZE, 200), rng.integers(0, SIZE, 200)] += 9000
    label = np.zeros(image.shape, bool)
    label[::64, ::16] = True
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for order in ((2, 2), (6, 6)):
        tables = {"flat_field": {"order": order}}
        pipeline = Pipeline.of(PreprocessSettings.model_validate(tables))
        copy = image.copy()
        took = seconds(lambda: prepare(Labelled(copy, label, None), pipeline, {}))  # noqa: B023
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(f"prepare {SIZE} x {SIZE}, order {order}: {took:.2f} s, peak {peak / 1024:.0f} MB")
    print(f"(before: {before / 1024:.0f} MB, the image and its label included)")
    separable = seconds(lambda: fit_surface(image, FlatFieldSettings()))
    dense = seconds(lambda: dense_fit(image))
    print(f"fit: separable {separable:.3f} s, dense {dense:.3f} s, ratio {dense / separable:.0f}")


if __name__ == "__main__":
    main()
