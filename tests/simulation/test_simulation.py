"""Runs in simulated worlds: whatever befalls them, every result is there once and they end."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from studyspec.files import write
from studyspec.jobs.stages import Job
from studyspec.machine import Machine
from studyspec.run import leases, memory, runner, worker
from studyspec.run.process import Process
from studyspec.run.queue import Queue
from studyspec.store import record_file
from tests.run import workloads
from tests.simulation.schedule import simulate

SCHEDULES = int(os.environ.get("SCHEDULES", "300"))
FIRST = int(os.environ.get("FIRST_SEED", "0"))
FAILED_ONCE = (11, 47, 133)
"""Seeds that showed a mistake: what a loss of power had cut short ended a runner."""


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, ...]:
    return workloads.study(tmp_path_factory.mktemp("data"), "A")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks less often, so that less time has to be simulated, and nothing of this machine."""
    monkeypatch.setattr(leases, "SILENCE_S", 15.0)
    monkeypatch.setattr(worker, "POLL_S", 0.5)
    monkeypatch.setattr(worker, "GRACE_S", 6.0)
    monkeypatch.setattr(runner, "POLL_S", 0.5)
    monkeypatch.setattr(memory, "reset_peak", lambda: None)
    monkeypatch.setattr(record_file, "versions", lambda: {"python": "3"})
    monkeypatch.setattr(record_file, "_plugins", lambda _job: {})


def simulate_all(seeds: Iterable[int], jobs: tuple[Job, ...]) -> None:
    for seed in seeds:
        simulate(seed, jobs)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_every_result_is_there_once_whatever_happens(jobs: tuple[Job, ...]) -> None:
    simulate_all(range(FIRST, FIRST + SCHEDULES), jobs)


@pytest.mark.parametrize("seed", FAILED_ONCE)
def test_what_failed_once_does_not_fail_again(seed: int, jobs: tuple[Job, ...]) -> None:
    simulate(seed, jobs)


def hasty(
    queue: Queue, owner: Process, device: str, _network: str | None, _fits: object = None
) -> object:
    """`Queue.take` without a look at what others did until the lease was had."""
    for ticket in queue.board.ready():
        lease = leases.take(queue.results, ticket.key, owner, device)
        if lease is not None:
            return lease, ticket
    return None


def volatile(path: Path, content: bytes, machine: Machine) -> None:
    """`files.write` that waits for no disk."""
    write(path, content, False, machine)


@pytest.mark.parametrize(
    ("place", "mistake", "told"),
    [
        ("studyspec.run.queue.Queue.take", hasty, "done twice"),
        ("studyspec.files.write", volatile, "cut short|lost: "),
        ("studyspec.run.watch.ValidationError", KeyError, "validation error"),
    ],
)
def test_a_mistake_is_found_within_a_few_hundred_schedules(
    place: str,
    mistake: object,
    told: str,
    jobs: tuple[Job, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(place, mistake)
    with pytest.raises(AssertionError, match=told):
        simulate_all(range(300), jobs)


def test_a_seed_gives_one_story(jobs: tuple[Job, ...]) -> None:
    one, again = (simulate(3, jobs) for _ in range(2))
    assert (one.world.now, one.world.written) == (again.world.now, again.world.written)
    assert one.troubles == again.troubles
