"""The queue: jobs as files, opened once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from studyspec.plan.jobs import Job
from studyspec.run.queue import Queue, publish, published, read_job, ticket_of, withdraw
from studyspec.store.layout import Results
from studyspec.store.records import RecordIndex
from tests.run import workloads


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


def publish_all(results: Results, jobs: tuple[Job, ...]) -> None:
    publish(results, ((job, ticket_of(job, number)) for number, job in enumerate(jobs)))


def test_a_published_job_comes_back_whole(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path)
    publish_all(results, jobs)
    for job in jobs:
        back = read_job(results, job.key)
        assert (back.key, back.needs, back.ingredients) == (job.key, job.needs, job.ingredients)
        assert dict(back.inputs["prepare"]) == job.inputs.get("prepare", {})


def test_only_jobs_whose_needs_are_met_are_ready(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path)
    publish_all(results, jobs)
    queue = Queue(results, RecordIndex(results))
    queue.refresh()
    ready = [ticket.key for ticket in queue.board.ready()]
    assert ready == [job.key for job in jobs if job.stage == "prepare"]
    assert queue.board.unfinished() == len(jobs)


def test_withdrawn_jobs_are_forgotten(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path)
    publish_all(results, jobs)
    queue = Queue(results, RecordIndex(results))
    queue.refresh()
    withdraw(results, [job.key for job in jobs])
    queue.refresh()
    assert published(results) == set()
    assert queue.board.unfinished() == 0


@pytest.mark.slow
def test_ten_thousand_jobs_are_published_and_polled_fast(results: Results) -> None:
    many = tuple(Job.of({"stage": "prepare", "number": i}) for i in range(10_000))
    start = time.perf_counter()
    publish_all(results, many)
    assert time.perf_counter() - start < 10
    queue = Queue(results, RecordIndex(results))
    queue.refresh()
    start = time.perf_counter()
    queue.refresh()
    next(queue.board.ready())
    assert time.perf_counter() - start < 0.2
