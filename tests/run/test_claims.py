"""Claims: one owner at a time, and only the dead lose theirs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from studyspec.run import claims
from studyspec.run.process import Process
from studyspec.store.layout import Results

ME = Process.current()
DEAD = Process(ME.host, ME.pid, "another start time")
ELSEWHERE = Process("another-machine", 1, "1")


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path)


def silence(results: Results, key: str, seconds: float) -> None:
    """Make the last heartbeat of a claim lie back."""
    then = time.time() - seconds
    os.utime(results.claim(key), (then, then))


def test_of_many_only_one_gets_a_claim(results: Results) -> None:
    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(lambda _: claims.take(results, "job", ME, "cpu"), range(64)))
    assert sum(claim is not None for claim in won) == 1


def test_a_released_job_can_be_claimed_again(results: Results) -> None:
    first = claims.take(results, "job", ME, "cpu")
    assert first is not None
    claims.release(results, first)
    second = claims.take(results, "job", ME, "cpu")
    assert second is not None
    assert second.attempt != first.attempt


def test_a_claim_is_read_as_it_was_written(results: Results) -> None:
    claim = claims.take(results, "job", ME, "cuda:1")
    assert claims.read(results.claim("job")) == claim
    assert claims.held(results) == {"job"}


def test_claims_of_dead_owners_expire_once(results: Results) -> None:
    dead = claims.take(results, "dead", DEAD, "cpu")
    claims.take(results, "alive", ME, "cpu")
    assert list(claims.expire(results)) == [dead]
    assert list(claims.expire(results)) == []
    assert claims.held(results) == {"alive"}


def test_a_live_owner_of_this_machine_may_be_silent(results: Results) -> None:
    claims.take(results, "job", ME, "cpu")
    silence(results, "job", 10 * claims.SILENCE_S)
    assert list(claims.expire(results)) == []


def test_an_owner_elsewhere_expires_by_silence_only(results: Results) -> None:
    claim = claims.take(results, "job", ELSEWHERE, "cpu")
    assert list(claims.expire(results)) == []
    silence(results, "job", claims.SILENCE_S + 5)
    assert list(claims.expire(results)) == [claim]


def test_a_claim_cut_short_by_death_expires(results: Results) -> None:
    claims.take(results, "job", ME, "cpu")
    results.claim("job").write_text('{"key": "jo')
    silence(results, "job", claims.SILENCE_S + 5)
    assert list(claims.expire(results)) == []
    assert claims.held(results) == set()


def test_a_heartbeat_notices_that_the_claim_is_gone(results: Results) -> None:
    claim = claims.take(results, "job", ME, "cpu")
    assert claim is not None
    silence(results, "job", 30)
    assert claims.beat(results, claim)
    assert time.time() - results.claim("job").stat().st_mtime < 5
    results.claim("job").unlink()
    claims.take(results, "job", ME, "cpu")
    assert not claims.beat(results, claim)


def test_an_owner_that_was_killed_is_dead(results: Results) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        owner = Process.of(child.pid)
        claims.take(results, "job", owner, "cpu")
        assert list(claims.expire(results)) == []
        child.kill()
    assert [claim.owner for claim in claims.expire(results)] == [owner]
