"""A run from beginning to end."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from studyspec.errors import BudgetOver, RunError
from studyspec.jobs.prepare import Prepared
from studyspec.run.events import Event
from studyspec.run.queue import published
from studyspec.run.runner import Options, run
from studyspec.store.folder import Results
from tests.run import workloads

ONE = Options(workers=1)


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


def test_every_job_is_done_once_and_told_of(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path, "A")
    events: list[Event] = []
    summary = run(jobs, results, ONE, events.append)
    assert (summary.done, summary.failed, summary.blocked) == (len(jobs), 0, 0)
    assert workloads.done_once(results).keys() == {job.key for job in jobs}
    done = [event for event in events if event.kind == "done"]
    assert Counter(event.job.key for event in done) == Counter(job.key for job in jobs)
    assert done[-1].settled == done[-1].total == len(jobs)
    assert {event.device for event in events if event.kind == "started"} == {"cpu"}
    assert run(jobs, results, ONE, events.append).done == 0
    assert not workloads.worker_pids(results)


def test_every_record_says_how_it_was_made(tmp_path: Path, results: Results) -> None:
    job = workloads.study(tmp_path, "A")[0]
    run([job], results, ONE)
    (record,) = workloads.records(results)
    assert record["ingredients"] == job.task.ingredients
    assert (record["stage"], record["device"]) == ("prepare", "cpu")
    assert record["device_name"]
    assert record["peak_memory_bytes"] > 1e7
    assert {"studyspec", "python", "torch", "numpy"} <= record["versions"].keys()
    assert "done after" in (results.folder / record["log"]).read_text()


@pytest.mark.slow
def test_lost_weights_are_trained_again_before_their_test(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path, "A")
    train, test = jobs[2], next(job for job in jobs if job.stage == "evaluate")
    run(jobs[:3], results, ONE)
    (weights,) = results.networks.iterdir()
    weights.unlink()
    summary = run([*jobs[:3], test], results, Options(workers=1, redo=frozenset({train.key})))
    assert (summary.done, summary.failed) == (2, 0)
    assert weights.exists()


def test_a_run_stops_at_its_deadline_and_takes_its_jobs_back(
    tmp_path: Path, results: Results
) -> None:
    jobs = workloads.study(tmp_path, "A")
    with pytest.raises(BudgetOver, match="the budget is over; what is done is kept"):
        run(jobs, results, replace(ONE, deadline=time.monotonic() + 0.5))
    assert not workloads.worker_pids(results)
    assert not published(results)


def test_a_test_whose_weights_are_gone_is_blocked(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path, "A")
    events: list[Event] = []
    summary = run(jobs[3:4], results, ONE, events.append)
    assert (summary.done, summary.blocked) == (0, 1)
    assert [event.kind for event in events] == ["blocked"]
    assert events[0].message == "it needs a result that is neither here nor planned"


def test_unknown_engines_and_devices_are_named(results: Results) -> None:
    with pytest.raises(RunError, match="no engine 'cloud' is installed; there is: inline, local"):
        run([], results, Options(engine="cloud"))
    with pytest.raises(RunError, match="no device 'gpu0' here; there is cpu"):
        run([], results, Options(devices=("cpu", "gpu0")))


def test_an_engine_that_stops_no_job_says_so(results: Results) -> None:
    with pytest.raises(RunError, match="'inline' stops no job for its time; leave --time-limit"):
        run([], results, Options(engine="inline", time_limit_s=3.0))


def test_a_run_tells_what_came_of_a_job(tmp_path: Path, results: Results) -> None:
    events: list[Event] = []
    run(workloads.study(tmp_path, "A")[:1], results, Options(engine="inline"), events.append)
    assert isinstance(events[-1].result, Prepared)
    assert events[-1].result.patches == 16
    assert events[-1].seconds is not None


def test_runner_and_supervisor_import_no_torch() -> None:
    code = (
        "import studyspec.run.runner, studyspec.run.worker, sys; "
        "from studyspec.plugins.registry import ENGINES; "
        "ENGINES.get('inline'); print('torch' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "False\n"


def test_a_worker_opens_no_database() -> None:
    code = "import studyspec.run.worker, studyspec.run.child, sys; print('duckdb' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "False\n"
