"""Leases: one owner at a time, and only the dead lose theirs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from studyspec.machine import Machine
from studyspec.run import leases
from studyspec.run.process import Process
from studyspec.store.folder import Results

ME = Process.current()
DEAD = Process(ME.host, ME.pid, "another start time")
ELSEWHERE = Process("another-machine", 1, "1")


@dataclass
class Clock(Machine):
    """This machine, with a clock that the test sets."""

    time_s: float = 0.0

    def monotonic(self) -> float:
        return self.time_s


def expire(results: Results, after_s: float = 0.0) -> list[leases.Lease]:
    """Leases that expire when they were watched for some time."""
    clock = Clock()
    hearing = leases.Hearing(clock)
    expired = list(leases.expire(results, hearing))
    clock.time_s = after_s
    return expired + list(leases.expire(results, hearing))


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path)


def silence(results: Results, key: str, seconds: float) -> None:
    """Make the last heartbeat of a lease lie back."""
    then = time.time() - seconds
    os.utime(results.lease(key), (then, then))


def test_of_many_only_one_gets_a_lease(results: Results) -> None:
    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(lambda _: leases.take(results, "job", ME, "cpu"), range(64)))
    assert sum(lease is not None for lease in won) == 1


def test_a_released_job_can_be_leased_again(results: Results) -> None:
    first = leases.take(results, "job", ME, "cpu")
    assert first is not None
    leases.release(results, first)
    second = leases.take(results, "job", ME, "cpu")
    assert second is not None
    assert second.attempt != first.attempt


def test_a_lease_is_read_as_it_was_written(results: Results) -> None:
    lease = leases.take(results, "job", ME, "cuda:1")
    assert leases.read(results, "job") == lease
    assert leases.held(results) == {"job"}


def test_leases_of_dead_owners_expire_once(results: Results) -> None:
    dead = leases.take(results, "dead", DEAD, "cpu")
    leases.take(results, "alive", ME, "cpu")
    assert expire(results) == [dead]
    assert expire(results) == []
    assert leases.held(results) == {"alive"}


@pytest.mark.parametrize("owner", [ME, ELSEWHERE])
def test_who_is_silent_for_a_minute_loses_the_job(results: Results, owner: Process) -> None:
    lease = leases.take(results, "job", owner, "cpu")
    silence(results, "job", 10 * leases.SILENCE_S)
    assert expire(results, leases.SILENCE_S) == []
    assert expire(results, leases.SILENCE_S + 1) == [lease]


def test_who_beats_meanwhile_keeps_the_job(results: Results) -> None:
    leases.take(results, "job", ELSEWHERE, "cpu")
    clock = Clock()
    hearing = leases.Hearing(clock)
    for second in range(0, 600, 50):
        clock.time_s = second
        silence(results, "job", -second)
        assert list(leases.expire(results, hearing)) == []


def test_live_leases_are_told_from_those_of_the_dead(results: Results) -> None:
    for key, owner in (("mine", ME), ("dead", DEAD), ("far", ELSEWHERE), ("gone", ELSEWHERE)):
        leases.take(results, key, owner, "cpu")
    silence(results, "gone", leases.SILENCE_S + 5)
    assert leases.live(results) == {"mine", "far"}


def test_a_lease_cut_short_by_death_expires(results: Results) -> None:
    leases.take(results, "job", ME, "cpu")
    results.lease("job").write_text('{"key": "jo')
    assert expire(results, leases.SILENCE_S + 1) == []
    assert leases.held(results) == set()


def test_a_heartbeat_notices_that_the_lease_is_gone(results: Results) -> None:
    lease = leases.take(results, "job", ME, "cpu")
    assert lease is not None
    silence(results, "job", 30)
    assert leases.beat(results, lease)
    assert time.time() - results.lease("job").stat().st_mtime < 5
    results.lease("job").unlink()
    leases.take(results, "job", ME, "cpu")
    assert not leases.beat(results, lease)


def test_a_kept_lease_beats_and_is_given_back(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "BEAT_S", 0.01)
    lease = leases.take(results, "job", ME, "cpu")
    assert lease is not None
    with leases.kept(results, lease):
        silence(results, "job", 30)
        time.sleep(0.2)
        assert time.time() - results.lease("job").stat().st_mtime < 5
    assert leases.held(results) == set()


def test_an_owner_that_was_killed_is_dead(results: Results) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        owner = Process.of(child.pid)
        leases.take(results, "job", owner, "cpu")
        assert expire(results) == []
        child.kill()
    assert [lease.owner for lease in expire(results)] == [owner]
