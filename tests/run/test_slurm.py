"""Runs on a real Slurm: whatever it does to workers, every job is done once."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from studyspec import api
from studyspec.errors import RunError
from studyspec.run.engines.slurm import SLURM
from studyspec.run.queue import published
from studyspec.run.runner import Options, run
from studyspec.run.slurm import footing
from studyspec.run.slurm.settings import SlurmSettings
from studyspec.store.folder import Results
from tests.run import workloads
from tests.run.engines import options_of
from tests.slurm_cluster import SETTINGS, Cluster

pytestmark = pytest.mark.slurm
LONG, ENDLESS = 400, 1_000_000


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


def on(**changes: object) -> Options:
    """Options for Slurm with changed settings."""
    return replace(options_of("slurm"), settings=SETTINGS.model_copy(update=changes))


def statuses(results: Results) -> list[str]:
    return [record["status"] for record in workloads.records(results)]


def arrays(cluster: Cluster) -> set[str]:
    return set(cluster.jobs("%F"))


@pytest.mark.timeout(900)
def test_whatever_slurm_does_to_workers_the_scores_are_those_of_local(
    cluster: Cluster, results: Results, data: Path, tmp_path: Path
) -> None:
    others = Results(tmp_path / "others")
    jobs = workloads.study(data, "A", epochs=LONG)
    run(jobs, others, options_of("local", ("cpu",)))

    def training() -> int:
        """Wait until one goes on; how many attempts have ended before."""
        workloads.wait_for(lambda: cluster.hurry() and workloads.training(results), 120)
        return len(statuses(results))

    def ended(before: int, how: str) -> None:
        """Wait until one more has, in this way, and Slurm and workers are done with it."""
        workloads.wait_for(lambda: len(statuses(results)) > before, 120)
        workloads.wait_for(lambda: how in statuses(results), 120)
        workloads.wait_for(lambda: not _busy(cluster), 120)

    with workloads.start(data, results, LONG, "slurm", "A") as runner:
        for _ in range(2):
            before = training()
            cluster.crowd_out()
            ended(before, "preempted")
        before = training()
        cluster.said("scontrol", "requeue", cluster.jobs()[0])
        ended(before, "preempted")
        before = training()
        os.kill(_workers(cluster)[0], signal.SIGKILL)
        ended(before, "lost")
        training()
        cluster.kill_node(cluster.said("squeue", "-h", "-t", "R", "-o", "%N").split()[0])
        workloads.wait_for(lambda: cluster.hurry() and runner.poll() is not None, 240)
    assert runner.returncode == 0
    assert statuses(results).count("preempted") >= 3
    assert statuses(results).count("lost") >= 2
    assert workloads.scores(results) == workloads.scores(others)


def test_workers_that_are_cancelled_for_others_are_submitted_anew(
    cluster: Cluster, results: Results, data: Path
) -> None:
    command = "import tests.run.test_slurm as t; t.run_doomed()"
    with subprocess.Popen([sys.executable, "-c", command, data, results.folder]) as runner:
        workloads.wait_for(lambda: workloads.training(results), 120)
        before = arrays(cluster)
        cluster.crowd_out()
        workloads.wait_for(lambda: "preempted" in statuses(results), 60)
        workloads.wait_for(lambda: workloads.training(results), 120)
        assert not before & arrays(cluster)
        runner.send_signal(signal.SIGINT)
        assert runner.wait(60) == 130
    assert not cluster.jobs()
    assert not workloads.leased(results)


def run_doomed() -> None:
    """A runner whose workers are not requeued, of a study without an end."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    data, results = map(Path, sys.argv[1:])
    jobs = workloads.study(data, "A", epochs=ENDLESS)
    try:
        run(jobs, Results(results), on(partition="doomed", requeue=False, workers=1))
    except KeyboardInterrupt:
        sys.exit(130)


def test_a_worker_whose_time_is_over_starts_anew_and_goes_on(
    cluster: Cluster, results: Results, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SlurmSettings, "lead_s", SETTINGS.seconds - 1)
    jobs = workloads.study(data, "A", epochs=ENDLESS)
    run(jobs, results, replace(on(workers=1), detach=True))
    before = cluster.jobs()
    workloads.wait_for(lambda: cluster.hurry() and statuses(results).count("preempted") > 1, 200)
    assert cluster.jobs() == before
    restarts = re.search(r"Restarts=(\d+)", cluster.said("scontrol", "show", "job", before[0]))
    assert restarts is not None
    assert int(restarts[1]) >= 2  # after the images, and after the first epoch
    assert len(workloads.done_once(results)) == 2


def test_workers_go_on_when_the_runner_has_left_until_they_are_cancelled(
    cluster: Cluster, results: Results, data: Path
) -> None:
    jobs = workloads.study(data, "A", epochs=ENDLESS)
    assert run(jobs, results, replace(on(), detach=True)).done == 0
    workloads.wait_for(lambda: workloads.training(results), 120)
    others = workloads.study(data, "B")
    assert run(others[:1], results, options_of("inline", ("cpu",))).done == 1
    assert {job.key for job in jobs} <= published(results)
    told = api.overview(results.folder).workers
    assert told
    assert all("slurm: running on n" in one for one in told)
    done = api.cancel(results.folder)
    assert (done.jobs, done.workers) == (len(jobs), 2)
    workloads.wait_for(lambda: not cluster.jobs())
    assert not workloads.leased(results)
    assert "preempted" in statuses(results)


KILLED = """
import os, signal, sys
from pathlib import Path
from studyspec.run.runner import run
from studyspec.run.slurm import commands
from studyspec.store.folder import Results
from tests.run import workloads
from tests.run.engines import options_of

submit = commands.submit
def submit_and_die(options, script):
    submit(options, script)
    os.kill(os.getpid(), signal.SIGKILL)
commands.submit = submit_and_die
run(workloads.study(Path(sys.argv[1]), "A"), Results(Path(sys.argv[2])), options_of("slurm"))
"""


def test_a_runner_that_dies_before_it_notes_its_workers_has_submitted_nothing_twice(
    cluster: Cluster, results: Results, data: Path
) -> None:
    cluster.said("scontrol", "update", "partitionname=low", "state=down")
    try:
        command = [sys.executable, "-c", KILLED, str(data), str(results.folder)]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
        assert not workloads.worker_pids(results)
        first = cluster.jobs()
        run(workloads.study(data, "A"), results, replace(on(), detach=True))
        assert cluster.jobs() == first
        assert len(list(results.workers.iterdir())) == len(first) == 2
    finally:
        cluster.said("scontrol", "update", "partitionname=low", "state=up")


def test_each_worker_sees_one_gpu(cluster: Cluster, results: Results, data: Path) -> None:
    jobs = workloads.study(data, "A", epochs=ENDLESS)
    settings = SETTINGS.model_copy(update={"gres": "gpu:1", "workers": 2, "options": "-w n2"})
    options = Options("slurm", devices=("cpu", "cpu"), settings=settings, detach=True)
    run(jobs, results, options)
    workloads.wait_for(lambda: len(_workers(cluster)) == 2, 120)
    assert _gpus(cluster) == ["0", "1"]
    assert SLURM.configured(settings).devices() == ("cuda:0",) * 2


def test_more_workers_wait_than_may_run(cluster: Cluster, results: Results, data: Path) -> None:
    jobs = workloads.study(data, "AB", epochs=ENDLESS)
    run(jobs, results, replace(on(workers=5), max_running=2, detach=True))
    workloads.wait_for(lambda: cluster.jobs("%T").count("RUNNING") == 2)
    assert len(arrays(cluster)) == 1
    assert cluster.jobs("%r").count("JobArrayTaskLimit") == 3


def test_nodes_with_other_versions_are_refused_before_anything_runs(
    cluster: Cluster, results: Results, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = footing.footing()
    monkeypatch.setattr(footing, "footing", lambda: {**ours, "studyspec": "9", "demo": "1"})
    here = f"a node has demo none instead of 1; studyspec {ours['studyspec']} instead of 9"
    with pytest.raises(RunError, match=here):
        run(workloads.study(data, "A"), results, on())
    assert not workloads.records(results)
    workloads.wait_for(lambda: not cluster.jobs())


def test_a_folder_that_a_node_does_not_see_is_an_error(
    cluster: Cluster, results: Results, data: Path
) -> None:
    results.folder.mkdir()
    with cluster.blind("n3", results.folder), pytest.raises(RunError, match="does not see the"):
        run(workloads.study(data, "A"), results, on(options="-w n3"))
    assert not workloads.records(results)


def test_what_slurm_does_not_take_is_an_error(
    cluster: Cluster, results: Results, data: Path
) -> None:
    jobs = workloads.study(data, "A")
    with pytest.raises(RunError, match=r"takes no workers: .*partition.*mend .engines.slurm"):
        run(jobs, results, on(partition="nowhere"))
    with pytest.raises(RunError, match=r"PartitionTimeLimit; .*lower `time`"):
        run(jobs, results, on(partition="brief"))
    workloads.wait_for(lambda: not cluster.jobs())


def _gpus(cluster: Cluster) -> list[str]:
    """The devices that the workers of the cluster may use, each once."""
    texts = [Path(f"/proc/{pid}/environ").read_text() for pid in _workers(cluster)]
    told = [dict(one.partition("=")[::2] for one in text.split("\0")) for text in texts]
    return sorted(one["CUDA_VISIBLE_DEVICES"] for one in told)


def _workers(cluster: Cluster) -> list[int]:
    """The processes of all workers."""
    found = [pid for i in (1, 2, 3) for pid in cluster.node_processes(f"n{i}")[1:]]
    return [pid for pid in found if "slurm.task" in _command(pid)]


def _busy(cluster: Cluster) -> bool:
    """Whether a job of others runs, or a task has still to end."""
    return any(line.split() != ["low", "R"] for line in cluster.jobs("%P %t") if "PD" not in line)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
