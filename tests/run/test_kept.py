from __future__ import annotations

from pathlib import Path

import numpy as np

from studyspec.run.kept import Candidate, choose, load_kept, shades
from studyspec.store.layout import Results
from tests.run import workloads
from tests.run.test_job import do


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


def test_an_evaluation_keeps_patches_with_label_and_prediction(tmp_path: Path) -> None:
    results = Results(tmp_path / "results")
    jobs = workloads.study(tmp_path, "A")
    do(jobs, results)
    job = next(job for job in jobs if job.stage == "evaluate")
    kept = load_kept(results.prediction(job.key))
    assert [one.which for one in kept] == ["best", "median", "worst"]
    assert kept[0].dice >= kept[1].dice >= kept[2].dice
    for one in kept:
        tp = int((one.label & one.predicted).sum())
        total = int(one.label.sum() + one.predicted.sum())
        assert np.isclose((2 * tp + 1) / (total + 1), one.dice)
        assert one.pixels.shape == one.label.shape == (16, 16)
    assert load_kept(results.prediction("0" * 64)) == []
