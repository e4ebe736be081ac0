"""Networks that start from others, done one job after the other."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch

from studyspec.errors import RunError
from studyspec.jobs.evaluate import Evaluate, Evaluated
from studyspec.jobs.stages import Job
from studyspec.jobs.train import Trained
from studyspec.learn.weights import read
from studyspec.plan.expansion import expand_jobs
from studyspec.plan.preparation import Files
from studyspec.run.attempts import Attempt, Outcome, write_outcome
from studyspec.run.bench import Bench
from studyspec.run.board import Board, Ticket
from studyspec.run.queue import ticket_of
from studyspec.spec.sections import StageSettings
from studyspec.spec.variants import Variant
from studyspec.store.folder import Results
from studyspec.store.records import KeyStatus
from tests.run import workloads

DONE = KeyStatus(done=True)


def study(folder: Path) -> tuple[Job, ...]:
    """A network of A, and one that starts from it and is tuned to B; both tested on both."""
    base = workloads.settings()
    start = {"start_from": {"train": "A", "variant": "base"}, "freeze": ("downs", "ups")}
    training = base.training.model_dump() | start
    tuned = StageSettings.model_validate(base.model_dump() | {"training": training}, strict=False)
    variants = [
        Variant("tuned", tuned, (("B", "A"), ("B", "B"))),
        Variant("base", base, (("A", "A"), ("A", "B"))),
    ]
    datasets = {name: workloads.dataset(folder, name) for name in "AB"}
    files = Files(str(folder / "catalog.parquet"), str(folder / "cache"))
    return expand_jobs(variants, datasets, files).jobs


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


def do(job: Job, results: Results) -> Trained | Evaluated | None:
    result = Bench(results, "cpu").execute(job)
    write_outcome(results, Attempt(job, "1" * 32, "cpu", "", 0.0), Outcome("done", result))
    return result if isinstance(result, Trained | Evaluated) else None


def places(found: Evaluated) -> Counter[tuple[int, int, int]]:
    scores = found.scores
    return Counter(zip(scores.image, scores.row, scores.col, strict=True))


def test_a_tuned_network_starts_from_its_fold_and_is_tested_on_what_no_training_saw(
    tmp_path: Path, results: Results
) -> None:
    jobs = {job.title: job for job in study(tmp_path)}
    found = {title: do(job, results) for title, job in jobs.items()}
    start, tuned = found["train A, fold 1"], found["train B (tuned), fold 1"]
    assert isinstance(start, Trained)
    assert isinstance(tuned, Trained)
    assert tuned.start_sha256 == start.weights_sha256
    assert tuned.parameters < start.parameters
    before, after = (read(results.network(one.weights_sha256)) for one in (start, tuned))
    assert torch.equal(before["downs.0.conv1.weight"], after["downs.0.conv1.weight"])
    assert not torch.equal(before["final_conv.weight"], after["final_conv.weight"])
    own, forgotten = found["test A on A, fold 1"], found["test B (tuned) on A, fold 1"]
    assert isinstance(own, Evaluated)
    assert isinstance(forgotten, Evaluated)
    assert places(own) == places(forgotten)
    assert 0 < len(places(own)) < 32


def test_without_the_weights_of_its_start_a_training_is_refused(
    tmp_path: Path, results: Results
) -> None:
    jobs = {job.title: job for job in study(tmp_path)}
    with pytest.raises(RunError, match=r"the weights of network \w+ are gone; run again"):
        do(jobs["train B (tuned), fold 0"], results)


def test_a_ticket_names_the_start_and_the_board_wants_its_weights(tmp_path: Path) -> None:
    jobs = {job.title: job for job in study(tmp_path)}
    start, tuned = jobs["train A, fold 0"], jobs["train B (tuned), fold 0"]
    assert ticket_of(tuned, 0).start == start.key
    assert ticket_of(start, 0).start is None
    ticket = Ticket("t", "train", ("s",), 0, start="s")
    for there, state in ((True, "ready"), (False, "blocked")):
        board = Board(lambda _stage, key, there=there: there or key != "s")  # type: ignore[misc]
        board.add(ticket)
        board.update({"s": DONE})
        assert board.states["t"] == state


def test_a_job_that_starts_from_others_comes_back_from_its_file(tmp_path: Path) -> None:
    job = next(job for job in study(tmp_path) if job.title == "test B (tuned) on A, fold 0")
    back = Job.read(job.written())
    assert isinstance(back.task, Evaluate)
    assert back.task.seen_before == ((0, 1),)
    assert back.inputs == job.inputs.with_sources({})
