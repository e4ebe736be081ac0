"""Runs on `local` that are killed or interrupted end as if nothing had happened."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from studyspec.run.process import start_time
from studyspec.run.runner import Options, run
from studyspec.store.folder import Results
from tests.run import workloads

pytestmark = pytest.mark.slow
TWO = Options(workers=2)
LONG = 60


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


def test_killed_runner_and_workers_cost_only_what_was_under_way(
    data: Path, results: Results, tmp_path: Path
) -> None:
    undisturbed = Results(tmp_path / "undisturbed")
    run(workloads.study(data, epochs=LONG), undisturbed, TWO)
    with workloads.start(data, results, LONG) as runner:
        workloads.wait_for(lambda: workloads.scores(results) and workloads.training(results))
        workers = workloads.worker_pids(results)
        runner.kill()
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    before = {path.name for path in results.records.glob("*.json")}
    done = workloads.done_once(results)
    jobs = workloads.study(data, epochs=LONG)
    summary = run(jobs, results, TWO)
    assert summary.done == len(jobs) - len(done)
    assert before < {path.name for path in results.records.glob("*.json")}
    assert workloads.scores(results) == workloads.scores(undisturbed)


def test_workers_whose_runner_vanished_finish_and_end(data: Path, results: Results) -> None:
    jobs = workloads.study(data, epochs=LONG)
    with workloads.start(data, results, LONG) as runner:
        workloads.wait_for(lambda: workloads.training(results))
        workers = workloads.worker_pids(results)
        runner.kill()
    workloads.wait_for(lambda: not any(start_time(pid) for pid in workers))
    assert workloads.done_once(results).keys() == {job.key for job in jobs}
    assert run(jobs, results, TWO).done == 0


def test_a_new_runner_takes_over_the_workers_of_a_killed_one(data: Path, results: Results) -> None:
    with workloads.start(data, results, LONG) as runner:
        workloads.wait_for(lambda: workloads.training(results))
        before = set(workloads.worker_pids(results))
        runner.kill()
    seen: set[int] = set()
    jobs = workloads.study(data, epochs=LONG)
    run(jobs, results, TWO, lambda _: seen.update(workloads.worker_pids(results)))
    assert seen == before
    assert len(workloads.done_once(results)) == len(jobs)


def test_ctrl_c_ends_soon_and_leaves_nothing_behind(data: Path, results: Results) -> None:
    with workloads.start(data, results, LONG) as runner:
        workloads.wait_for(lambda: workloads.training(results))
        workers = workloads.worker_pids(results)
        runner.send_signal(signal.SIGINT)
        assert runner.wait(timeout=10) == 130
    assert not any(start_time(pid) for pid in workers)
    assert not workloads.leased(results)
    statuses = {record["status"] for record in workloads.records(results)}
    assert statuses == {"done", "preempted"}
    kept = {path.stem for path in results.checkpoint("x").parent.glob("*.pt")}
    assert kept == {r["key"] for r in workloads.records(results) if r["status"] == "preempted"}
    jobs = workloads.study(data, epochs=LONG)
    assert run(jobs, results, TWO).failed == 0
    assert len(workloads.done_once(results)) == len(jobs)


def test_a_killed_worker_is_replaced(data: Path, results: Results) -> None:
    with workloads.start(data, results, LONG) as runner:
        workloads.wait_for(lambda: workloads.training(results))
        os.kill(workloads.worker_pids(results)[0], signal.SIGKILL)
        assert runner.wait() == 0
    assert [r["status"] for r in workloads.records(results)].count("lost") == 1
    assert len(workloads.done_once(results)) == len(workloads.study(data, epochs=LONG))
