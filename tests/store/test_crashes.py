"""Processes really killed: nothing that was said to be done is lost, nothing is there twice."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from studyspec.store.folder import Results
from studyspec.store.ingest import ingest
from studyspec.store.queries import user_query
from studyspec.store.record_file import read_record
from studyspec.store.records import RecordIndex, record_names
from tests.store.victims import Victims, write

ROWS = 12
MANY = pytest.param(100, marks=pytest.mark.slow)


@pytest.fixture
def victims(results: Results) -> Iterator[Victims]:
    with closing(Victims(results)) as started:
        yield started


def kill(pid: int, after_s: float) -> None:
    """Kill a process after a random time."""
    time.sleep(random.uniform(0, after_s))
    os.kill(pid, signal.SIGKILL)


def contents(results: Results) -> tuple[int, int, int]:
    """Attempts, evaluations, and rows of scores."""
    counts = ("stored.attempt", "stored.evaluation_sum", "stored.evaluate_scores")
    asked = ", ".join(f"(select count(*) from {name})" for name in counts)
    [row] = user_query(results, f"select {asked}").rows
    attempts, evaluations, rows = (int(str(one)) for one in row)
    return attempts, evaluations, rows


@pytest.mark.parametrize("kills", [20, MANY])
def test_writers_killed_lose_no_record(results: Results, victims: Victims, kills: int) -> None:
    said: set[str] = set()
    for _ in range(kills):
        pid = victims.start("write")
        said |= set(victims.says(random.randint(0, 5)))
        kill(pid, 0.003)
        said |= set(victims.buried())
    assert said <= record_names(results)
    for name in record_names(results):
        assert read_record(results.records / name).head.status == "done"
    assert len(RecordIndex(results).statuses()) == len(record_names(results))


@pytest.mark.parametrize("kills", [20, MANY])
def test_ingesters_killed_lose_nothing(results: Results, victims: Victims, kills: int) -> None:
    seen = 0
    for number in range(kills):
        for _ in range(12):
            write(results)
        pid = victims.start("ingest")
        victims.says(number % 2)
        kill(pid, 0.1)
        victims.buried()
        if results.database.exists():
            attempts, evaluations, rows = contents(results)
            assert attempts >= max(seen, 12 * (number % 2) * (number + 1))
            assert (evaluations, rows) == (attempts, ROWS * attempts)
            seen = attempts
    ingest(results)
    assert contents(results) == (12 * kills, 12 * kills, ROWS * 12 * kills)


def test_two_ingest_at_once_and_nothing_is_there_twice(results: Results, victims: Victims) -> None:
    for _ in range(100):
        write(results)
    pids = [victims.start("ingest") for _ in range(2)]
    try:
        while not results.database.exists() or contents(results)[0] < 100:
            time.sleep(0.01)
    finally:
        for pid in pids:
            kill(pid, 0)
    assert ingest(results) == 0
    assert contents(results) == (100, 100, 100 * ROWS)


def test_questions_are_answered_while_others_ingest(results: Results, victims: Victims) -> None:
    write(results)
    ingest(results)
    pid = victims.start("ingest")
    answers = [1]
    try:
        for _ in range(15):
            write(results)
            attempts, evaluations, rows = contents(results)
            assert (evaluations, rows) == (attempts, ROWS * attempts)
            answers.append(attempts)
        while contents(results)[0] < 16:
            time.sleep(0.01)
    finally:
        kill(pid, 0)
    assert answers == sorted(answers)
