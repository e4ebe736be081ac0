"""A worker whose time is limited: what it begins, what it gives back, what it gives up."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from studyspec.jobs.stages import Job
from studyspec.run.allotment import Allotment
from studyspec.run.queue import publish, ticket_of
from studyspec.run.runner import Options, run
from studyspec.run.worker import OUT_OF_TIME, Worker
from studyspec.store.folder import Results
from studyspec.store.records import RecordIndex
from tests.run import workloads

AGES = 3600.0
LONG = 60


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def others(data: Path) -> Results:
    """A study that was run with all the time that it wants."""
    results = Results(data / "others")
    run(workloads.study(data, "A", epochs=LONG), results, Options(workers=1))
    return results


@pytest.fixture
def results(others: Results, tmp_path: Path) -> Results:
    """A folder where the images are prepared and nothing else is done."""
    results = Results(tmp_path / "results")
    results.records.mkdir(parents=True)
    shutil.copytree(others.prepared, results.prepared)
    for path in others.records.glob("*.json"):
        if json.loads(path.read_text())["stage"] == "prepare":
            shutil.copy(path, results.records)
    return results


def put_up(results: Results, jobs: Sequence[Job]) -> None:
    publish(results, ((job, ticket_of(job, number)) for number, job in enumerate(jobs)))


def allotment(lead_s: float = 0.0, margin_s: float = 0.0, left_s: float = AGES) -> Allotment:
    return Allotment(time.monotonic() - AGES + left_s, AGES, lead_s, margin_s)


@pytest.mark.slow
def test_a_training_stops_at_an_epoch_and_the_next_worker_goes_on(
    results: Results, others: Results, data: Path
) -> None:
    put_up(results, workloads.study(data, "A", epochs=LONG))
    assert Worker(results, "cpu", allotment=allotment(lead_s=AGES)).run() == OUT_OF_TIME
    statuses = [record["status"] for record in workloads.records(results)]
    assert sorted(statuses) == ["done", "done", "preempted"]
    assert len(list(results.checkpoints.glob("*.pt"))) == 1
    assert not workloads.leased(results)
    assert Worker(results, "cpu").run() == 0
    assert workloads.scores(results) == workloads.scores(others)


@pytest.mark.slow
def test_a_job_that_no_worker_has_time_for_has_failed(results: Results, data: Path) -> None:
    put_up(results, workloads.study(data, "A", epochs=LONG)[2:3])
    assert Worker(results, "cpu", allotment=allotment(margin_s=AGES)).run() == 0
    record = next(one for one in workloads.records(results) if one["stage"] == "train")
    assert record["status"] == "time_limit"
    assert record["error"]["message"] == (
        "3600 s, the time of a worker, end before an epoch and its checkpoint"
    )
    assert "raise `time` in [engines.slurm]" in record["error"]["hint"]


@pytest.mark.slow
def test_a_job_is_not_begun_that_took_longer_before(others: Results) -> None:
    index = RecordIndex(others)
    index.refresh()
    longest = index.longest_s("evaluate")
    assert longest > 0
    assert not allotment(left_s=longest / 2).fits("evaluate", index)
    assert allotment(left_s=longest + 60).fits("evaluate", index)
    assert not allotment(left_s=longest + 60, margin_s=60).fits("evaluate", index)
    assert allotment(left_s=300, lead_s=100).fits("train", index)
    assert not allotment(left_s=150, lead_s=100).fits("train", index)


@pytest.mark.slow
def test_a_worker_with_no_time_for_what_is_ready_ends(results: Results, data: Path) -> None:
    put_up(results, workloads.study(data, "A", epochs=LONG)[2:3])
    assert Worker(results, "cpu", allotment=allotment(left_s=1, margin_s=2)).run() == OUT_OF_TIME
    assert len(workloads.records(results)) == 2
