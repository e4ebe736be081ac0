"""Leases: one owner at a time, and only the dead lose theirs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from studyspec.run import leases
from studyspec.run.process import Process
from studyspec.store.folder import Results

ME = Process.current()
DEAD = Process(ME.host, ME.pid, "another start time")
ELSEWHERE = Process("another-machine", 1, "1")


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
    assert leases.read(results.lease("job")) == lease
    assert leases.held(results) == {"job"}


def test_leases_of_dead_owners_expire_once(results: Results) -> None:
    dead = leases.take(results, "dead", DEAD, "cpu")
    leases.take(results, "alive", ME, "cpu")
    assert list(leases.expire(results)) == [dead]
    assert list(leases.expire(results)) == []
    assert leases.held(results) == {"alive"}


def test_a_live_owner_of_this_machine_may_be_silent(results: Results) -> None:
    leases.take(results, "job", ME, "cpu")
    silence(results, "job", 10 * leases.SILENCE_S)
    assert list(leases.expire(results)) == []


def test_an_owner_elsewhere_expires_by_silence_only(results: Results) -> None:
    lease = leases.take(results, "job", ELSEWHERE, "cpu")
    assert list(leases.expire(results)) == []
    silence(results, "job", leases.SILENCE_S + 5)
    assert list(leases.expire(results)) == [lease]


def test_a_lease_cut_short_by_death_expires(results: Results) -> None:
    leases.take(results, "job", ME, "cpu")
    results.lease("job").write_text('{"key": "jo')
    silence(results, "job", leases.SILENCE_S + 5)
    assert list(leases.expire(results)) == []
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
        assert list(leases.expire(results)) == []
        child.kill()
    assert [lease.owner for lease in leases.expire(results)] == [owner]
