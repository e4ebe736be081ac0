"""A job that fails is stored with its reason and log, and the rest goes on."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studyspec.catalog.readers import LARGE
from studyspec.errors import PluginError, RunError
from studyspec.jobs.measure import Measure, MeasureInputs
from studyspec.jobs.prepare import Prepare, PrepareInputs
from studyspec.jobs.stages import Job
from studyspec.plugins.registry import ENGINES, STEPS
from studyspec.run import hardware
from studyspec.run.events import Event
from studyspec.run.runner import Options, run
from studyspec.spec.uses import Use
from studyspec.store.folder import Results
from tests import distributions
from tests.run import workloads

ONE = Options(workers=1)
ENDLESS = 100_000


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


def trainings(jobs: Sequence[Job]) -> list[Job]:
    return [job for job in jobs if job.stage == "train"]


def with_its_images(job: Job, jobs: Sequence[Job]) -> list[Job]:
    return [one for one in jobs if one.key in job.needs] + [job]


def prepare_task(job: Job) -> Prepare:
    assert isinstance(job.task, Prepare)
    return job.task


@pytest.mark.slow
def test_a_changed_image_fails_its_descendants_only(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path, folds=2)
    np.save(tmp_path / "A-0.npy", np.zeros((64, 64), np.float32))
    events: list[Event] = []
    summary = run(jobs, results, Options(workers=2), events.append)
    assert (summary.done, summary.failed) == (3 + 2 + 2, 1)
    assert summary.blocked == len(jobs) - 8
    told = next(event for event in events if event.kind == "failed")
    assert "A-0: the image or its label changed since the run was planned" in told.message
    hindered = [event.message for event in events if event.kind == "blocked"]
    assert "it needs 'prepare A-0'" in hindered
    assert told.log is not None
    assert told.log.exists()
    assert Counter(record["status"] for record in workloads.records(results))["error"] == 3


@pytest.mark.slow
def test_failures_stay_known_until_asked_for_again(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path, "A")
    image = np.load(tmp_path / "A-0.npy")
    np.save(tmp_path / "A-0.npy", image + 1)
    run(jobs, results, ONE)
    np.save(tmp_path / "A-0.npy", image)
    before = len(workloads.records(results))
    assert run(jobs, results, ONE).failed == 1
    assert len(workloads.records(results)) == before
    assert run(jobs, results, replace(ONE, retry_failed=True)).done == len(jobs) - 1


@pytest.mark.slow
def test_a_bug_is_stored_with_its_traceback_in_the_log(tmp_path: Path, results: Results) -> None:
    broken = Job(Measure(image="0" * 64), MeasureInputs(image_id="none", sources={}))
    assert run([broken], results, ONE).failed == 1
    record = workloads.records(results)[0]
    assert record["error"]["kind"] == "FileNotFoundError"
    assert "Traceback" in (results.folder / record["log"]).read_text()


def test_lack_of_memory_is_final_and_says_what_to_do(tmp_path: Path, results: Results) -> None:
    job = workloads.study(tmp_path, "A")[0]
    with (tmp_path / "A-0.npy").open("r+b") as file:  # an image of 64 TiB
        header = {"descr": "<f4", "fortran_order": False, "shape": (2**22, 2**22)}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(LARGE)
    task = prepare_task(job)
    assert isinstance(job.inputs, PrepareInputs)
    image = workloads.identity(tmp_path, job.inputs.place.row).image_sha256
    huge = replace(job, task=Prepare(image=image, label=task.label, pipeline=task.pipeline))
    assert run([huge], results, ONE).failed == 1
    (record,) = workloads.records(results)
    assert record["status"] == "out_of_memory"
    assert "--workers" in record["error"]["hint"]


@pytest.mark.slow
def test_the_time_limit_is_final(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path, "A", epochs=ENDLESS)
    some = with_its_images(trainings(jobs)[0], jobs)
    summary = run(some, results, replace(ONE, time_limit_s=1.0))
    assert (summary.done, summary.failed) == (2, 1)
    late = [r for r in workloads.records(results) if r["status"] == "time_limit"]
    assert [record["error"]["message"] for record in late] == ["it took longer than 1 s"]


@pytest.mark.slow
def test_a_killed_process_is_tried_three_times(tmp_path: Path, results: Results) -> None:
    jobs = workloads.study(tmp_path, "A", epochs=ENDLESS)
    some = with_its_images(trainings(jobs)[0], jobs)
    events: list[Event] = []

    def kill(event: Event) -> None:
        events.append(event)
        if event.kind == "progress":
            for child in workloads.child_pids(workloads.worker_pids(results)[0]):
                os.kill(child, signal.SIGKILL)

    assert run(some, results, ONE, kill).failed == 1
    statuses = Counter(record["status"] for record in workloads.records(results))
    assert statuses == {"done": 2, "killed": 3}
    assert "killed by SIGKILL" in events[-1].message


@pytest.mark.slow
def test_a_worker_that_cannot_start_ends_the_run(
    tmp_path: Path, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "gpus", lambda: ("cuda:99",))
    jobs = workloads.study(tmp_path, "A")
    with pytest.raises(RunError, match=r"workers\.log: no worker lives .* ended with status 3"):
        run(jobs, results, replace(ONE, devices=("cuda:99",)))


STEP = """
from studyspec.plugins.contracts import Step
from studyspec.plugins.settings import Empty


class Breaks(Step[Empty]):
    name = "breaks"
    settings = Empty
    position = 150

    def describe(self, settings: Empty) -> str:
        return "broken"

    def apply(self, image, settings):
        raise ValueError("I cannot do this")


BREAKS = Breaks()
"""


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["local", "inline"])
def test_a_plug_in_that_raises_fails_its_job_alone(
    engine: str, tmp_path: Path, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "breaking.py").write_text(STEP)
    distributions.install(tmp_path, "breakage", "1.2", {"step": "breaking"})
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.syspath_prepend(tmp_path)
    distributions.fresh(monkeypatch, STEPS)
    good, other = workloads.study(tmp_path, "A")[:2]
    task = prepare_task(other)
    steps = (Use(name="breaks", recipe=1), *task.pipeline.steps)
    pipeline = task.pipeline.model_copy(update={"steps": steps})
    bad = replace(other, task=Prepare(image=task.image, label=task.label, pipeline=pipeline))
    events: list[Event] = []
    summary = run([bad, good], results, Options(engine=engine), events.append)
    assert (summary.done, summary.failed) == (1, 1)
    failed = next(event for event in events if event.kind == "failed")
    assert "step 'breaks' of breakage 1.2 failed: ValueError: I cannot do" in failed.message
    assert "breaking:BREAKS" in failed.message
    assert failed.log is not None
    assert 'raise ValueError("I cannot do this")' in failed.log.read_text()


ENGINE = """
from studyspec.plugins.contracts import EngineKind


class Cloud(EngineKind):
    name = "cloud"

    def devices(self, workers=None):
        return ("cpu",)

    def check(self, devices):
        pass

    def make(self):
        raise OSError("no sky today")


CLOUD = Cloud()
"""


def test_an_engine_of_others_that_fails_is_named(
    tmp_path: Path, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sky.py").write_text(ENGINE)
    distributions.install(tmp_path, "heaven", "7", {"engine": "sky"})
    monkeypatch.syspath_prepend(tmp_path)
    distributions.fresh(monkeypatch, ENGINES)
    job = workloads.study(tmp_path, "A")[0]
    what = "sky:CLOUD: engine 'cloud' of heaven 7 failed: OSError: no sky today"
    with pytest.raises(PluginError, match=what):
        run([job], results, Options(engine="cloud"))
