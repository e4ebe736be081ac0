"""One job at a time, in this process: prepare, train, evaluate."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studyspec.errors import FileError, RunError
from studyspec.plan.jobs import Job
from studyspec.run.attempts import Attempt, Outcome, write_outcome
from studyspec.run.job import Bench, execute
from studyspec.store.layout import Results
from tests.run import workloads


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


def do(jobs: tuple[Job, ...], results: Results) -> dict[str, Any]:
    """Do all jobs in order, with records as a worker writes them."""
    bench = Bench(results, "cpu")
    found = {}
    for job in jobs:
        found[job.key] = bench.execute(job)
        attempt = Attempt(job, "1" * 32, "cpu", "", 0.0)
        write_outcome(results, attempt, Outcome("done", found[job.key]))
    return found


def one(jobs: tuple[Job, ...], title: str) -> Job:
    return next(job for job in jobs if job.title == title)


def places(result: Mapping[str, Any]) -> Counter[tuple[int, int, int]]:
    scores = result["scores"]
    return Counter(zip(scores["image"], scores["row"], scores["col"], strict=True))


def test_a_prepared_image_says_what_it_holds(tmp_path: Path, results: Results) -> None:
    job = workloads.study(tmp_path)[0]
    result = execute(job, results, "cpu")
    assert (result["patches"], result["height_px"], result["width_px"]) == (16, 64, 64)
    assert result["bytes"] > 16 * 16 * 16 * 5
    assert 0.2 < result["particle_fraction"] < 0.4
    assert (results.patches(job.key) / "images.npy").exists()


def test_a_training_leaves_weights_under_their_hash(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path, "A")
    told: list[Mapping[str, Any]] = []
    result = execute(jobs[2], results, "cpu", told.append)
    assert results.network(result["weights_sha256"]).exists()
    assert [epoch["epoch"] for epoch in result["history"]] == [1, 2]
    assert told[-1]["epochs"] == 2
    assert (result["n_train"], result["n_validation"]) == (14, 2)


def test_on_its_own_set_every_patch_is_tested_in_one_fold(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path, "A")
    found = do(jobs, results)
    own = [found[job.key] for job in jobs if job.stage == "evaluate"]
    once = {(image, row, col) for image in (0, 1) for row in range(4) for col in range(4)}
    assert sum((places(result) for result in own), Counter()) == dict.fromkeys(once, 1)


def test_another_set_is_tested_whole(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path)
    found = do(jobs, results)
    result = found[one(jobs, "test A on B, fold 0").key]
    assert len(places(result)) == 32
    assert result["image_ids"] == ["B-0", "B-1"]
    pixels = [result["scores"][name] for name in ("tp", "fp", "fn", "tn")]
    assert np.sum(pixels, axis=0).tolist() == [16 * 16] * 32


def test_a_union_is_tested_on_what_its_members_held_out(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path, "AB", pairs=(("A+B", "A"), ("A+B", "A+B")))
    found = do(jobs, results)
    alone = [places(found[one(jobs, f"test A+B on A, fold {i}").key]) for i in (0, 1)]
    assert not alone[0] & alone[1]
    assert len(alone[0]) + len(alone[1]) == 32
    both = places(found[one(jobs, "test A+B on A+B, fold 0").key])
    assert Counter({p: n for p, n in both.items() if p[0] < 2}) == alone[0]


def test_missing_and_broken_patches_are_made_again(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path, "A")
    before = do(jobs, results)
    shutil.rmtree(results.patches(jobs[0].key))
    (results.patches(jobs[1].key) / "labels.npy").write_bytes(b"half")
    assert execute(jobs[-1], results, "cpu") == before[jobs[-1].key]


def test_an_interrupted_training_ends_as_an_undisturbed_one(
    tmp_path: Path, results: Results
) -> None:
    job = workloads.study(tmp_path, "A", epochs=6)[2]

    def interrupt(values: Mapping[str, Any]) -> None:
        if values["epoch"] == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(job, results, "cpu", interrupt)
    assert results.checkpoint(job.key).exists()
    epochs: list[int] = []
    resumed = execute(job, results, "cpu", lambda values: epochs.append(values["epoch"]))
    undisturbed = execute(job, Results(tmp_path / "other"), "cpu")
    assert epochs == [4, 5, 6]
    assert resumed["weights_sha256"] == undisturbed["weights_sha256"]


def test_an_image_that_changed_since_the_plan_is_refused(tmp_path: Path, results: Results) -> None:
    job = workloads.study(tmp_path)[0]
    np.save(tmp_path / "A-0.npy", np.ones((64, 64), np.float32))
    with pytest.raises(FileError, match="A-0: the image or its label changed since"):
        execute(job, results, "cpu")


def test_weights_that_are_gone_are_named(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path, "A")
    found = do(jobs, results)
    results.network(found[jobs[2].key]["weights_sha256"]).unlink()
    with pytest.raises(RunError, match=f"weights of network {jobs[2].key[:12]} are gone"):
        execute(one(jobs, "test A on A, fold 0"), results, "cpu")
