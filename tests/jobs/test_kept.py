from __future__ import annotations

import numpy as np

from studyspec.jobs.kept import Candidate, choose, shades


def test_best_median_and_worst_are_chosen() -> None:
    candidates = [Candidate(dice, 0, i) for i, dice in enumerate([0.2, 0.9, 0.5, 0.1, 0.7])]
    found = {which: one.dice for which, one in choose(candidates)}
    assert found == {"best": 0.9, "median": 0.5, "worst": 0.1}
    assert [which for which, _ in choose(candidates[:1])] == ["best"]
    assert choose([]) == []


def test_shades_span_black_to_white() -> None:
    patch = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    found = shades(patch)
    assert (found.min(), found.max()) == (0, 255)
    assert shades(np.zeros((8, 8), np.float32)).max() == 0
