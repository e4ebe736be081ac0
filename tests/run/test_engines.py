"""The contract that every engine keeps: workers live, can be asked for, stopped, and explained."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from studyspec.run import local
from studyspec.run.engine import Engine, Resources
from studyspec.run.local import Local
from studyspec.run.process import Process
from studyspec.run.queue import publish, ticket_of
from studyspec.store.layout import Results
from tests.run import workloads

ENGINES: tuple[Callable[[], Engine], ...] = (Local,)


@pytest.fixture(params=ENGINES)
def make(request: pytest.FixtureRequest) -> Callable[[], Engine]:
    made: Callable[[], Engine] = request.param
    return made


@pytest.fixture
def resources(tmp_path: Path) -> Resources:
    """A results folder with a training that would never end."""
    results = Results(tmp_path / "results")
    jobs = workloads.study(tmp_path, "A", epochs=1_000_000)
    publish(results, ((job, ticket_of(job, number)) for number, job in enumerate(jobs)))
    return Resources(results.folder, "cpu")


def test_a_worker_lives_until_it_is_cancelled(
    make: Callable[[], Engine], resources: Resources
) -> None:
    engine, results = make(), Results(resources.results)
    handles = engine.start(1, resources)
    workloads.wait_for(lambda: workloads.training(results))
    assert make().alive([*handles, "1:not-its-start-time"]) == set(handles)
    make().cancel(handles)
    workloads.wait_for(lambda: not engine.alive(handles))
    assert engine.why(handles[0]) == "ended with status 0"
    statuses = [record["status"] for record in workloads.records(results)]
    assert statuses.count("preempted") == 1
    assert not workloads.training(results)


def test_a_killed_worker_is_dead_and_explained(
    make: Callable[[], Engine], resources: Resources
) -> None:
    engine = make()
    first, second = engine.start(2, resources)
    os.kill(Process.from_handle(first).pid, signal.SIGKILL)
    workloads.wait_for(lambda: not engine.alive([first]))
    assert engine.alive([first, second]) == {second}
    assert engine.why(first) == "was killed by SIGKILL"
    engine.cancel([second])
    workloads.wait_for(lambda: not engine.alive([second]))


def test_a_worker_with_nothing_to_do_ends(make: Callable[[], Engine], tmp_path: Path) -> None:
    engine = make()
    handles = engine.start(1, Resources(tmp_path, "cpu"))
    workloads.wait_for(lambda: not engine.alive(handles))
    assert engine.why(handles[0]) == "ended with status 0"


def test_engines_work_where_their_name_says(make: Callable[[], Engine]) -> None:
    name, _, place = make().place.partition("@")
    assert name
    assert place


def test_without_a_gpu_there_is_a_worker_for_each_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "GPU_FILES", ())
    monkeypatch.setattr(local, "_cores", lambda: 3)
    assert local.devices() == ("cpu", "cpu", "cpu")
    assert local.devices(5) == ("cpu",) * 5


def test_workers_of_a_cpu_use_one_thread() -> None:
    assert local.environment("cpu")["OMP_NUM_THREADS"] == "1"
    assert local.environment("cuda:0") == dict(os.environ)
