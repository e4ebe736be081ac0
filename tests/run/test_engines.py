"""The contract that every engine keeps, whoever it is from, and what is special of ours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from studyspec.errors import RunError
from studyspec.plugins.contracts import EngineKind, Resources
from studyspec.plugins.registry import ENGINES
from studyspec.run import hardware, leases
from studyspec.run.engines.inline import INLINE
from studyspec.run.engines.local import LOCAL
from studyspec.run.engines.slurm import SLURM
from studyspec.run.process import Process, environment
from studyspec.run.queue import publish, ticket_of
from studyspec.run.runner import Options, run
from studyspec.run.workforce import Workforce, hired
from studyspec.store.folder import Results
from tests.run import workloads
from tests.run.engines import kind_of, options_of

LONG = 60


def _engines() -> list[ParameterSet]:
    """All engines; one that needs a cluster is marked by its name."""
    marks = {"slurm": pytest.mark.slurm}
    return [
        pytest.param(name, marks=[marks[name]] if name in marks else []) for name in ENGINES.names
    ]


@pytest.fixture(params=_engines())
def kind(request: pytest.FixtureRequest) -> EngineKind:
    if request.param == "slurm":
        request.getfixturevalue("cluster")
    return kind_of(request.param)


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def put_up(results: Results, data: Path, epochs: int = 2) -> Resources:
    """A results folder with a published study."""
    jobs = workloads.study(data, "A", epochs=epochs)
    publish(results, ((job, ticket_of(job, number)) for number, job in enumerate(jobs)))
    return Resources(results.folder, "cpu")


def held_up(results: Results, data: Path) -> Resources:
    """The same, with every job that is ready leased by us."""
    resources = put_up(results, data)
    for job in workloads.study(data, "A")[:2]:
        leases.take(results, job.key, Process.current(), "cpu")
    return resources


def test_a_worker_that_waits_lives_until_it_is_cancelled(
    kind: EngineKind, results: Results, data: Path
) -> None:
    engine, resources = kind.make(), held_up(results, data)
    (handle,) = engine.start(1, resources)
    for _ in range(3):
        engine.tend()
        assert engine.alive([handle, "1:not-its-start-time"]) == {handle}
    engine.cancel([handle])
    workloads.wait_for(lambda: not engine.alive([handle]))
    assert engine.why(handle)


def test_a_worker_with_nothing_to_do_ends(kind: EngineKind, results: Results) -> None:
    engine = kind.make()
    handles = engine.start(1, Resources(results.folder, "cpu"))
    workloads.wait_for(lambda: not engine.alive(handles))


def test_engines_work_where_their_name_says(kind: EngineKind) -> None:
    name, _, place = kind.make().place.partition("@")
    assert name == kind.name
    assert place


def test_a_device_that_is_not_there_is_refused(kind: EngineKind) -> None:
    kind.check(kind.devices(1))
    with pytest.raises(RunError, match="'cuda:99'"):
        kind.check(["cuda:99"])


@pytest.fixture(scope="module")
def local_scores(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, object]:
    """What the engine `local` finds in the study that `data` holds for every test."""
    folder = tmp_path_factory.mktemp("local")
    results = Results(folder / "results")
    run(workloads.study(folder / "data"), results, options_of("local", ("cpu",)))
    return workloads.scores(results)


@pytest.mark.slow
def test_a_run_does_every_job_once_with_the_scores_of_local(
    kind: EngineKind, results: Results, data: Path, local_scores: Mapping[str, object]
) -> None:
    jobs = workloads.study(data)
    assert run(jobs, results, options_of(kind.name, ("cpu",))).done == len(jobs)
    assert workloads.done_once(results).keys() == {job.key for job in jobs}
    assert workloads.scores(results) == local_scores
    assert not workloads.leased(results)
    assert not list(results.workers.iterdir())


@pytest.mark.slow
def test_an_interrupted_run_gives_its_jobs_back(
    kind: EngineKind, results: Results, data: Path
) -> None:
    with workloads.start(data, results, LONG, kind.name) as runner:
        workloads.wait_for(lambda: workloads.training(results))
        runner.send_signal(signal.SIGINT)
        assert runner.wait(timeout=10) == 130
    assert not workloads.leased(results)
    assert not list(results.workers.iterdir())
    statuses = {record["status"] for record in workloads.records(results)}
    assert statuses == {"done", "preempted"}
    jobs = workloads.study(data, epochs=LONG)
    assert run(jobs, results, options_of(kind.name)).failed == 0
    assert len(workloads.done_once(results)) == len(jobs)


@pytest.mark.slow
def test_a_run_whose_runner_vanished_goes_on(
    kind: EngineKind, results: Results, data: Path
) -> None:
    with workloads.start(data, results, LONG, kind.name) as runner:
        workloads.wait_for(lambda: workloads.training(results))
        runner.kill()
    jobs = workloads.study(data, epochs=LONG)
    assert run(jobs, results, options_of(kind.name)).failed == 0
    assert len(workloads.done_once(results)) == len(jobs)
    assert not list(results.workers.iterdir())


@pytest.mark.slow
def test_two_runners_at_once_do_nothing_twice(
    kind: EngineKind, results: Results, data: Path
) -> None:
    programs = [workloads.start(data, results, engine=kind.name) for _ in range(2)]
    assert [program.wait() for program in programs] == [0, 0]
    assert len(workloads.done_once(results)) == len(workloads.study(data))
    assert not workloads.worker_pids(results)


@pytest.mark.slow
def test_a_local_worker_is_known_to_whoever_asks_later(results: Results, data: Path) -> None:
    engine, resources = LOCAL.make(), put_up(results, data, epochs=1_000_000)
    handles = engine.start(1, resources)
    workloads.wait_for(lambda: workloads.training(results))
    assert LOCAL.make().alive(handles) == set(handles)
    LOCAL.make().cancel(handles)
    workloads.wait_for(lambda: not engine.alive(handles))
    assert engine.why(handles[0]) == "ended with status 0"
    statuses = [record["status"] for record in workloads.records(results)]
    assert statuses.count("preempted") == 1
    assert not workloads.training(results)


def test_a_killed_local_worker_is_dead_and_explained(results: Results, data: Path) -> None:
    engine = LOCAL.make()
    first, second = engine.start(2, held_up(results, data))
    os.kill(Process.from_handle(first).pid, signal.SIGKILL)
    workloads.wait_for(lambda: not engine.alive([first]))
    assert engine.alive([first, second]) == {second}
    assert engine.why(first) == "was killed by SIGKILL"
    engine.cancel([second])
    workloads.wait_for(lambda: not engine.alive([second]))


@pytest.mark.slow
def test_a_device_that_fails_is_set_aside(
    results: Results, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    held_up(results, data)
    workforce = Workforce(results, LOCAL.make(), ("cpu", "cuda:99"))

    def set_aside() -> bool:
        workforce.keep(2)
        return "cuda:99 is set aside: its last worker ended with status 3" in caplog.text

    workloads.wait_for(set_aside, 200)
    workforce.keep(2)
    assert [worker.device for worker in hired(results)] == ["cpu"]
    workforce.dismiss()


@pytest.mark.slow
def test_a_training_waits_for_its_own_images_alone(results: Results, data: Path) -> None:
    jobs = workloads.study(data, "AB", pairs=(("A", "A"), ("B", "B")))
    publish(results, ((job, ticket_of(job, number)) for number, job in enumerate(jobs)))
    held = next(job for job in jobs if job.stage == "prepare" and "B-0" in job.title)
    leases.take(results, held.key, Process.current(), "cpu")
    engine = INLINE.make()
    engine.start(1, Resources(results.folder, "cpu"))
    for _ in jobs:
        engine.tend()
    stages = [record["stage"] for record in workloads.records(results)]
    assert (stages.count("prepare"), stages.count("train"), stages.count("evaluate")) == (3, 2, 2)


def test_without_slurm_its_engine_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RunError, match="no `sbatch` on the path; run on a login node"):
        SLURM.devices(2)


def test_only_slurm_holds_workers_back_and_is_left_alone(results: Results, data: Path) -> None:
    jobs = workloads.study(data, "A")
    with pytest.raises(RunError, match="leave --max-running out"):
        run(jobs, results, Options(max_running=2))
    with pytest.raises(RunError, match="leave --detach out"):
        run(jobs, results, Options(detach=True))


def test_without_a_gpu_there_is_a_worker_for_each_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "GPU_FILES", ())
    monkeypatch.setattr(hardware, "cores", lambda: 3)
    assert LOCAL.devices() == ("cpu", "cpu", "cpu")
    assert LOCAL.devices(5) == ("cpu",) * 5
    assert INLINE.devices() == ("cpu",)


def test_workers_of_a_cpu_use_one_thread() -> None:
    assert environment("cpu")["OMP_NUM_THREADS"] == "1"
    assert int(environment("cpu")["MALLOC_TRIM_THRESHOLD_"]) > 2**27
    assert environment("cuda:0") == dict(os.environ)


def test_inline_works_alone() -> None:
    with pytest.raises(RunError, match="'inline' does one job after the other; leave --workers"):
        INLINE.devices(2)


BREAK = """
import sys
from pathlib import Path
from studyspec.jobs.measure import Measure
from studyspec.jobs.prepare import Prepare
from studyspec.run.runner import Options, run
from studyspec.store.folder import Results
from tests.run import workloads

do = Prepare.do
def stopped(self, inputs, workshop):
    breakpoint()
    return do(self, inputs, workshop)
Prepare.do = stopped
folder = Path(sys.argv[1])
try:
    summary = run(workloads.study(folder, "A")[:2], Results(folder), Options(engine="inline"))
except KeyboardInterrupt:
    print("interrupted")
else:
    print(f"{summary.done} done")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "said", "statuses"),
    [("p self.stage\nc\nc\n", "'prepare'", ["done"] * 2), ("q\n", "interrupted", ["preempted"])],
)
def test_a_breakpoint_in_a_job_stops_there(
    typed: str, said: str, statuses: list[str], results: Results
) -> None:
    command = [sys.executable, "-c", BREAK, str(results.folder)]
    ended = subprocess.run(command, input=typed, capture_output=True, text=True, check=True)
    assert said in ended.stdout
    assert [record["status"] for record in workloads.records(results)] == statuses
    assert not workloads.leased(results)
