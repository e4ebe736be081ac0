"""Who acts in a world: runners, workers and children of the real code, and an engine of workers."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from studyspec.errors import WeightsGone
from studyspec.files import write
from studyspec.jobs.evaluate import Evaluate, Evaluated, EvaluateInputs, ScoreColumns
from studyspec.jobs.prepare import Prepare, Prepared
from studyspec.jobs.stages import Job
from studyspec.jobs.task import Result
from studyspec.jobs.train import EpochRow, Trained
from studyspec.plugins.contracts import Resources
from studyspec.run.events import Event, Summary
from studyspec.run.leases import Lease
from studyspec.run.performer import Performer
from studyspec.run.process import Process
from studyspec.run.runner import Options, Run
from studyspec.run.worker import Worker
from studyspec.store.folder import Results
from studyspec.store.records import RecordIndex, trained_weights, whole_weights
from tests.simulation.machine import SimulatedMachine
from tests.simulation.world import Host, Node, World

FOLDER = Path("/shared/results")
EPOCHS = 3


def results_of(world: World, node: Node) -> Results:
    """The results folder as a process sees it."""
    return Results(FOLDER, SimulatedMachine(world, node))


def weights_of(key: str) -> bytes:
    """What a training leaves: it follows from its key."""
    return f"weights of {key}".encode()


def sha256_of(key: str) -> str:
    """The hash of these weights."""
    return hashlib.sha256(weights_of(key)).hexdigest()


def result_of(job: Job) -> Result:
    """What a job comes to: it follows from the job."""
    if isinstance(job.task, Prepare):
        return Prepared(patches=4, height_px=64, width_px=64, bytes=9)
    if isinstance(job.task, Evaluate):
        assert isinstance(job.inputs, EvaluateInputs)
        scores = ScoreColumns(tp=(int(job.key[:6], 16),))
        sha = sha256_of(job.task.network)
        return Evaluated(weights_sha256=sha, image_ids=job.inputs.image_ids, scores=scores)
    row = EpochRow(epoch=1, train_loss=0.5, validation_loss=0.5, seconds=1.0)
    return Trained(
        weights_sha256=sha256_of(job.key),
        best_epoch=1,
        precision="float32",
        n_train=1,
        n_validation=1,
        parameters=1,
        history=(row,),
    )


class SimulatedBench:
    """In place of `run.bench.Bench`: takes its time, and leaves what the real one would."""

    def __init__(self, world: World, results: Results) -> None:
        self._world, self._results = world, results
        self.resumable = False

    def execute(self, job: Job, on_progress: Callable[[Mapping[str, JsonValue]], None]) -> Result:
        """Do a job."""
        machine = self._results.machine
        trains = job.stage == "train"
        if isinstance(job.task, Evaluate):
            found = trained_weights(self._results, job.task.network)
            if whole_weights(self._results, found) is None:
                raise WeightsGone("gone")
        for epoch in range(EPOCHS if trains else 1):
            machine.sleep(self._world.rng.uniform(0.1, 3.0))
            if trains:
                on_progress({"epoch": epoch})
        if trains:
            write(self._results.network(sha256_of(job.key)), weights_of(job.key), machine=machine)
        elif isinstance(job.task, Prepare):
            path = self._results.patches(job.key)
            write(path, b"patches", durable=False, machine=machine)
        return result_of(job)


class SimulatedChild:
    """In place of `pipe.ChildProcess`: a process that dies with its worker."""

    def __init__(self, world: World, results: Results, device: str, parent: Node) -> None:
        self._world, self._machine, self._answers = world, results.machine, ["a CPU"]
        self._asked: list[Lease] = []
        self._device = device
        self._node = world.start("child", parent.host, self._live, parent)
        self._performer: Performer | None = None

    def _live(self, node: Node) -> None:
        results = results_of(self._world, node)
        bench = SimulatedBench(self._world, results)
        self._performer = Performer(results, self._device, bench)
        while True:
            if self._asked:
                lease = self._asked.pop(0)
                status = self._performer.attempt(lease, io.StringIO())
                if status == "done":
                    self._world.written.add(results.record(lease.key, lease.attempt).name)
                self._answers.append(f"{status} {'last' if self._performer.spoiled else ''}")
                if self._performer.spoiled:
                    return
            results.machine.sleep(0.1)

    def ask(self, lease: Lease) -> None:
        """Hand over an attempt."""
        self._asked.append(lease)

    def answer(self, seconds: float) -> str | None:
        """What it says; empty if it is dead."""
        self._machine.sleep(seconds)
        if self._answers:
            return self._answers.pop(0).strip()
        return None if self._node.alive else ""

    def worked(self) -> str:
        """Nobody knows."""
        return ""

    def pause(self) -> None:
        """Never asked for: these workers may last as long as they like."""

    def stop(self) -> None:
        """Ask it to give up its job."""

        def asked() -> None:
            if self._performer is not None:
                self._performer.asked = True
                self._performer.give_up()

        self._node.signal = asked

    def end(self) -> int:
        """Kill it."""
        self._world.kill(self._node)
        return -9


class SimulatedEngine:
    """Workers as processes of the world, on whatever host."""

    def __init__(self, world: World, node: Node, spread: bool, bound: bool) -> None:
        self._world, self._node, self._spread, self._bound = world, node, spread, bound
        self._asked: set[str] = set()
        self.place = "world" if spread else f"world@{node.host.name}"

    def start(self, n: int, resources: Resources) -> list[str]:
        """Start workers."""
        hosts = self._world.hosts if self._spread else [self._node.host]
        return [_handle(self._hire(self._world.rng.choice(hosts))) for _ in range(n)]

    def _hire(self, host: Host) -> Node:
        def work(node: Node) -> int:
            results = results_of(self._world, node)
            worker = Worker(
                results,
                "cpu",
                self._bound,
                child=lambda _, device: SimulatedChild(self._world, results, device, node),
            )
            stops[node] = worker.stop
            return worker.run()

        return self._world.start("worker", host, work)

    def alive(self, handles: Iterable[str]) -> frozenset[str]:
        """Those that live."""
        living = {_handle(node) for node in self._world.live()}
        return frozenset(handle for handle in handles if handle in living)

    def cancel(self, handles: Iterable[str]) -> None:
        """Ask workers to stop, the second time kill them."""
        for node in self._world.live():
            handle = _handle(node)
            if handle not in handles:
                continue
            if handle in self._asked:
                self._world.kill(node)
            self._asked.add(handle)
            node.stopped_until, node.signal = 0.0, stops.get(node)

    def why(self, handle: str) -> str:
        """Nobody knows."""
        return "ended"

    def tend(self) -> None:
        """Nothing."""


stops: dict[Node, Callable[[], None]] = {}
"""How each worker is asked to stop."""


def _handle(node: Node) -> str:
    return Process(node.host.name, node.pid, node.started).handle


def runner(
    world: World,
    host: Host,
    jobs: Sequence[Job],
    take_in: Callable[[Results, float], int],
    told: Callable[[Event], None],
    after_s: float = 0.0,
) -> Node:
    """Begin a runner after some time [s], as the command line does."""
    spread = len(world.hosts) > 1

    def work(node: Node) -> Summary:
        world.turn(node, after_s)
        index = RecordIndex(results_of(world, node))
        states = index.statuses()
        redo = frozenset(
            job.key
            for job in jobs
            if job.key in states and states[job.key].done and not index.has_artifact(job)
        )
        run = Run(jobs, index, Options(retry_failed=True, redo=redo), told, take_in)
        if not run.open:
            return run.finish()
        engine = SimulatedEngine(world, node, spread, bound=not spread)
        return run.go(engine, ["cpu"] * world.rng.choice((1, 2, 3)))

    return world.start("runner", host, work)
