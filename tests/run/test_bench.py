"""One job at a time, in this process: prepare, train, evaluate."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import JsonValue

from studyspec.errors import FileError, RunError, WeightsGone
from studyspec.images.pipeline import save
from studyspec.jobs.evaluate import Evaluated
from studyspec.jobs.prepare import Prepare, Prepared, PrepareInputs, source_of
from studyspec.jobs.stages import Job
from studyspec.jobs.task import Result
from studyspec.jobs.train import Trained
from studyspec.run.attempts import Attempt, Outcome, write_outcome
from studyspec.run.bench import Bench
from studyspec.store.folder import Results
from studyspec.store.kept import load_kept
from tests.run import workloads


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As workers compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


@pytest.fixture
def bench(results: Results) -> Bench:
    return Bench(results, "cpu")


def do(jobs: tuple[Job, ...], results: Results) -> dict[str, Result]:
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


def scored(found: Mapping[str, Result], job: Job) -> Evaluated:
    result = found[job.key]
    assert isinstance(result, Evaluated)
    return result


def places(result: Evaluated) -> Counter[tuple[int, int, int]]:
    scores = result.scores
    return Counter(zip(scores.image, scores.row, scores.col, strict=True))


def test_a_prepared_image_says_what_it_holds(
    tmp_path: Path, results: Results, bench: Bench
) -> None:
    job = workloads.study(tmp_path)[0]
    result = bench.execute(job)
    assert isinstance(result, Prepared)
    assert (result.patches, result.height_px, result.width_px) == (16, 64, 64)
    assert result.bytes > 16 * 16 * 16 * 5
    assert 0.2 < (result.particle_fraction or 0) < 0.4
    assert (results.patches(job.key) / "images.npy").exists()


def test_a_training_leaves_weights_under_their_hash(
    tmp_path: Path, results: Results, bench: Bench
) -> None:
    jobs = workloads.study(tmp_path, "A")
    told: list[Mapping[str, JsonValue]] = []
    result = bench.execute(jobs[2], told.append)
    assert isinstance(result, Trained)
    assert results.network(result.weights_sha256).exists()
    assert [epoch.epoch for epoch in result.history] == [1, 2]
    assert told[-1]["epochs"] == 2
    assert (result.n_train, result.n_validation) == (14, 2)
    assert bench.resumable


def test_on_its_own_set_every_patch_is_tested_in_one_fold(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path, "A")
    found = do(jobs, results)
    own = [scored(found, job) for job in jobs if job.stage == "evaluate"]
    once = {(image, row, col) for image in (0, 1) for row in range(4) for col in range(4)}
    assert sum((places(result) for result in own), Counter()) == dict.fromkeys(once, 1)


def test_another_set_is_tested_whole(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path)
    found = do(jobs, results)
    result = scored(found, one(jobs, "test A on B, fold 0"))
    assert len(places(result)) == 32
    assert result.image_ids == ("B-0", "B-1")
    scores = result.scores
    pixels = np.sum([scores.tp, scores.fp, scores.fn, scores.tn], axis=0)
    assert pixels.tolist() == [16 * 16] * 32


def test_a_union_is_tested_on_what_its_members_held_out(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path, "AB", pairs=(("A+B", "A"), ("A+B", "A+B")))
    found = do(jobs, results)
    alone = [places(scored(found, one(jobs, f"test A+B on A, fold {i}"))) for i in (0, 1)]
    assert not alone[0] & alone[1]
    assert len(alone[0]) + len(alone[1]) == 32
    both = places(scored(found, one(jobs, "test A+B on A+B, fold 0")))
    assert Counter({p: n for p, n in both.items() if p[0] < 2}) == alone[0]


def test_missing_and_broken_patches_are_made_again(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path, "A")
    before = do(jobs, results)
    shutil.rmtree(results.patches(jobs[0].key))
    (results.patches(jobs[1].key) / "labels.npy").write_bytes(b"half")
    again = Bench(results, "cpu").execute(jobs[-1])
    assert again.written() == before[jobs[-1].key].written()


def test_patches_of_a_version_that_noted_fewer_facts_are_made_again(
    tmp_path: Path, results: Results
) -> None:
    job, bench = workloads.study(tmp_path)[0], Bench(results, "cpu")
    assert isinstance(job.task, Prepare)
    assert isinstance(job.inputs, PrepareInputs)
    key, place = job.key, source_of(job.task, job.inputs.place)
    whole = bench.patches(key, place)
    shutil.rmtree(results.patches(key))
    save(replace(whole, facts={}), results.patches(key))
    assert bench.patches(key, place).facts == {}
    assert bench.patches(key, place, ["relative_sd"]).facts == whole.facts


def test_an_interrupted_training_ends_as_an_undisturbed_one(
    tmp_path: Path, results: Results, bench: Bench
) -> None:
    job = workloads.study(tmp_path, "A", epochs=6)[2]

    def interrupt(progress: Mapping[str, JsonValue]) -> None:
        if progress["epoch"] == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.execute(job, interrupt)
    assert results.checkpoint(job.key).exists()
    epochs: list[JsonValue] = []
    resumed = bench.execute(job, lambda progress: epochs.append(progress["epoch"]))
    undisturbed = Bench(Results(tmp_path / "other"), "cpu").execute(job)
    assert epochs == [4, 5, 6]
    assert isinstance(resumed, Trained)
    assert isinstance(undisturbed, Trained)
    assert resumed.weights_sha256 == undisturbed.weights_sha256


def test_patches_that_were_changed_are_told_and_made_again(
    tmp_path: Path, results: Results, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = workloads.study(tmp_path, "A")
    before = do(jobs, results)
    path = results.patches(jobs[0].key) / "labels.npy"
    labels = np.load(path)
    np.save(path, labels ^ 1)
    again = Bench(results, "cpu").execute(jobs[-1])
    assert again.written() == before[jobs[-1].key].written()
    assert "labels.npy differs from its digest; they are made again" in caplog.text
    assert np.array_equal(np.load(path), labels)


def test_weights_that_were_changed_test_nothing(
    tmp_path: Path, results: Results, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = workloads.study(tmp_path, "A")
    trained = do(jobs, results)[jobs[2].key]
    assert isinstance(trained, Trained)
    path = results.network(trained.weights_sha256)
    data = bytearray(path.read_bytes())
    data[-1] ^= 0x80  # the sign of a number
    path.write_bytes(data)
    with pytest.raises(WeightsGone, match="are gone"):
        Bench(results, "cpu").execute(one(jobs, "test A on A, fold 0"))
    assert "damaged weights: they differ from the hash in their name" in caplog.text


def test_a_damaged_checkpoint_is_told_and_begun_anew(
    tmp_path: Path, results: Results, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    job = workloads.study(tmp_path, "A", epochs=3)[2]

    def interrupt(progress: Mapping[str, JsonValue]) -> None:
        if progress["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bench.execute(job, interrupt)
    path = results.checkpoint(job.key)
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0x80
    path.write_bytes(data)
    epochs: list[JsonValue] = []
    bench.execute(job, lambda progress: epochs.append(progress["epoch"]))
    assert epochs == [1, 2, 3]
    assert "damaged checkpoint: it differs from its digest" in caplog.text


def test_sources_of_another_image_are_refused(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path, "A")
    do(jobs, results)
    shutil.rmtree(results.patches(jobs[0].key))
    sources = jobs[-1].inputs.its_sources
    with pytest.raises(RunError, match="are those of others"):
        Bench(results, "cpu").patches(jobs[0].key, sources[jobs[1].key])


def test_an_image_that_changed_since_the_plan_is_refused(tmp_path: Path, bench: Bench) -> None:
    job = workloads.study(tmp_path)[0]
    np.save(tmp_path / "A-0.npy", np.ones((64, 64), np.float32))
    with pytest.raises(FileError, match="A-0: the image or its label changed since"):
        bench.execute(job)


def test_weights_that_are_gone_are_named(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path, "A")
    trained = do(jobs, results)[jobs[2].key]
    assert isinstance(trained, Trained)
    results.network(trained.weights_sha256).unlink()
    with pytest.raises(RunError, match=f"weights of network {jobs[2].key[:12]} are gone"):
        Bench(results, "cpu").execute(one(jobs, "test A on A, fold 0"))


def test_an_evaluation_keeps_patches_with_label_and_prediction(
    tmp_path: Path, results: Results
) -> None:
    jobs = workloads.study(tmp_path, "A")
    do(jobs, results)
    job = next(job for job in jobs if job.stage == "evaluate")
    kept = load_kept(results.prediction(job.key))
    assert [one.which for one in kept] == ["best", "median", "worst"]
    assert kept[0].dice >= kept[1].dice >= kept[2].dice
    for each in kept:
        tp = int((each.label & each.predicted).sum())
        total = int(each.label.sum() + each.predicted.sum())
        assert np.isclose((2 * tp + 1) / (total + 1), each.dice)
        assert each.pixels.shape == each.label.shape == (16, 16)
