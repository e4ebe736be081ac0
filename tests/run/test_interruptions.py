"""Runs on `local` that are killed or interrupted end as if nothing had happened."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from studyspec.machine import THIS
from studyspec.run import leases, worker
from studyspec.run.engines import local
from studyspec.run.events import Event
from studyspec.run.queue import publish, ticket_of
from studyspec.run.runner import Options, run
from studyspec.run.watch import Watch
from studyspec.store.folder import Results
from tests.run import workloads

pytestmark = pytest.mark.slow
TWO = Options(workers=2)
LONG, ENDLESS = 60, 1_000_000


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
        children = [pid for worker in workers for pid in workloads.child_pids(worker)]
        runner.kill()
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    workloads.wait_for(lambda: not any(map(THIS.start_time, children)))  # they may end a job
    before = {path.name for path in results.records.glob("*.json")}
    done = workloads.done_once(results)
    jobs = workloads.study(data, epochs=LONG)
    summary = run(jobs, results, TWO)
    assert summary.done == len(jobs) - len(done)
    assert before < {path.name for path in results.records.glob("*.json")}
    assert workloads.scores(results) == workloads.scores(undisturbed)


def test_workers_whose_runner_vanished_give_back_their_jobs_and_end(
    data: Path, results: Results
) -> None:
    with workloads.start(data, results, ENDLESS) as runner:
        workloads.wait_for(lambda: workloads.training(results))
        workers = workloads.worker_pids(results)
        runner.kill()
    workloads.wait_for(lambda: not any(THIS.start_time(pid) for pid in workers))
    assert not workloads.leased(results)
    ends = {record["status"] for record in workloads.records(results)}
    assert ends == {"done", "preempted"}


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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_who_is_asked_to_end_ends_his_workers(
    number: signal.Signals, data: Path, results: Results
) -> None:
    with workloads.start(data, results, ENDLESS) as runner:
        workloads.wait_for(lambda: workloads.training(results))
        workers = workloads.worker_pids(results)
        runner.send_signal(number)
        assert runner.wait(timeout=60) == 130
    assert not any(THIS.start_time(pid) for pid in workers)
    assert not workloads.leased(results)
    assert {r["status"] for r in workloads.records(results)} == {"done", "preempted"}


def test_ctrl_c_ends_soon_and_leaves_nothing_behind(data: Path, results: Results) -> None:
    with workloads.start(data, results, LONG) as runner:
        workloads.wait_for(lambda: workloads.training(results))
        workers = workloads.worker_pids(results)
        runner.send_signal(signal.SIGINT)
        assert runner.wait(timeout=60) == 130
    assert not any(THIS.start_time(pid) for pid in workers)
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


def test_stopped_workers_are_ended_by_a_ctrl_c(data: Path, results: Results) -> None:
    with workloads.start(data, results, ENDLESS) as runner:
        workloads.wait_for(lambda: workloads.training(results))
        workers = workloads.worker_pids(results)
        for pid in workers:
            for child in workloads.child_pids(pid):
                os.kill(child, signal.SIGSTOP)
            os.kill(pid, signal.SIGSTOP)
        runner.send_signal(signal.SIGINT)
        assert runner.wait(timeout=120) == 130
    assert not any(THIS.start_time(pid) for pid in workers)
    assert not workloads.leased(results)
    assert {r["status"] for r in workloads.records(results)} == {"done", "preempted"}


def test_a_second_ctrl_c_ends_workers_at_once(data: Path, results: Results) -> None:
    with workloads.start(data, results, ENDLESS) as runner:
        workloads.wait_for(lambda: workloads.training(results))
        workers = workloads.worker_pids(results)
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        runner.send_signal(signal.SIGINT)
        workloads.wait_for(lambda: not list(results.jobs.iterdir()))
        runner.send_signal(signal.SIGINT)
        assert runner.wait(timeout=60) == 130
    assert not any(THIS.start_time(pid) for pid in workers)


def test_a_worker_that_was_stopped_is_ended_and_replaced(
    data: Path, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "SILENCE_S", 5.0)
    monkeypatch.setattr(local, "STOPPED_S", 5.0)
    stopped: list[int] = []

    def stop(event: Event) -> None:
        if event.kind == "progress" and not stopped:
            stopped.extend(workloads.worker_pids(results))
            os.kill(stopped[0], signal.SIGSTOP)

    jobs = workloads.study(data, "A", epochs=4 * LONG)  # its child goes on meanwhile
    assert run(jobs, results, Options(workers=1), stop).failed == 0
    assert THIS.start_time(stopped[0]) is None
    assert [r["status"] for r in workloads.records(results)].count("lost") == 1


def test_a_job_that_hangs_is_told_and_ended(
    data: Path, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "BEAT_S", 0.2)
    monkeypatch.setattr(worker, "HUNG_S", 1.0)
    monkeypatch.setattr(worker, "HANG_LIMIT_S", 8.0)
    jobs = workloads.study(data, "A", epochs=ENDLESS)[:3]
    publish(results, ((job, ticket_of(job, number)) for number, job in enumerate(jobs)))
    hanging = worker.Worker(results, "cpu")
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(hanging.run)
        workloads.wait_for(lambda: workloads.training(results))
        for child in workloads.child_pids(os.getpid()):
            with suppress(ProcessLookupError):  # one is `ps`
                os.kill(child, signal.SIGSTOP)
        signs = Watch(results)
        try:
            workloads.wait_for(lambda: any(sign.idle_s for sign in signs.news({jobs[2].key})))
            workloads.wait_for(lambda: len(workloads.records(results)) == 3)
        finally:
            hanging.stop()
        ended.result()
    [record] = [r for r in workloads.records(results) if r["status"] == "killed"]
    assert record["error"]["kind"] == "Hung"
    assert "did nothing for 8 s" in record["error"]["message"]
