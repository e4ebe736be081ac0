"""The queue: jobs as files, opened once."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from studyspec.errors import RunError
from studyspec.jobs.prepare import Prepare
from studyspec.jobs.stages import Job
from studyspec.run import leases
from studyspec.run.process import Process
from studyspec.run.queue import Queue, publish, published, read_job, ticket_of, withdraw
from studyspec.store.folder import Results
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
        assert (back.key, back.needs, back.title) == (job.key, job.needs, job.title)
        assert back.task == job.task
        assert dict(back.inputs.its_sources) == dict(job.inputs.its_sources)


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


def test_a_job_of_another_version_is_refused(tmp_path: Path, results: Results) -> None:
    job = workloads.study(tmp_path)[0]
    publish_all(results, (job,))
    path = results.job(job.key)
    path.write_text(path.read_text().replace('"recipe":1', '"recipe":99', 1))
    with pytest.raises(RunError, match="stage 'prepare' of recipe 99 is of another version"):
        read_job(results, job.key)


def test_a_ready_job_is_leased_to_one_worker(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path, "A")[:2]
    publish_all(results, jobs)
    queue, me = Queue(results, RecordIndex(results)), Process.current()
    queue.refresh()
    taken = [queue.take(me, "cpu", None) for _ in range(3)]
    assert [one[1].key for one in taken if one] == [job.key for job in jobs]
    assert taken[2] is None
    assert leases.held(results) == {job.key for job in jobs}


@pytest.mark.slow
def test_ten_thousand_jobs_are_published_and_polled_fast(results: Results) -> None:
    job = workloads.study(results.folder, "A")[0]
    assert isinstance(job.task, Prepare)
    pipeline = job.task.pipeline
    tasks = [Prepare(image=f"{i:064x}", label="", pipeline=pipeline) for i in range(10_000)]
    many = tuple(replace(job, task=task) for task in tasks)
    start = time.perf_counter()
    publish_all(results, many)
    assert time.perf_counter() - start < 10
    queue = Queue(results, RecordIndex(results))
    queue.refresh()
    start = time.perf_counter()
    queue.refresh()
    next(queue.board.ready())
    assert time.perf_counter() - start < 0.2
