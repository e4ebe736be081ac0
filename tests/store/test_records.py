from __future__ import annotations

import json
import logging
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studyspec.errors import StoreError
from studyspec.plan.jobs import Job
from studyspec.store.layout import Results
from studyspec.store.planned import previous_plan
from studyspec.store.record_file import read_head
from studyspec.store.records import (
    KeyStatus,
    RecordIndex,
    new_record,
    read_record,
    trained_weights,
    write_plan,
    write_record,
)
from tests.store.results_folders import circumstances, write_done, write_failed

TRAIN = Job.of({"stage": "train", "recipe": 1, "fold": 0})
PLAN: dict[str, Any] = {"study": "s", "profile": None, "cells": []}


def test_a_record_comes_back_as_it_was_written(results: Results) -> None:
    record = new_record(TRAIN, "done", circumstances(), {"weights_sha256": "w"})
    assert read_record(write_record(results, record)) == record


def test_the_head_is_read_without_the_body(results: Results) -> None:
    path = write_done(results, TRAIN, {"weights_sha256": "w"})
    head = read_head(path)
    assert head == {
        k: v for k, v in read_record(path).items() if k not in ("ingredients", "result")
    }
    assert head["weights_sha256"] == "w"


def test_a_record_of_other_hands_is_read_too(results: Results) -> None:
    path = write_done(results, TRAIN, {"weights_sha256": "w"})
    record = read_record(path)
    path.write_text(json.dumps(record, indent=4))
    assert read_head(path) == record


def test_numbers_that_are_not_finite_become_null(results: Results) -> None:
    path = write_done(results, TRAIN, {"history": [{"train_loss": math.nan}, {"x": math.inf}]})
    assert read_record(path)["result"] == {"history": [{"train_loss": None}, {"x": None}]}


def test_a_record_that_is_there_is_never_replaced(results: Results) -> None:
    record = new_record(TRAIN, "done", circumstances(), {"weights_sha256": "w"})
    path = write_record(results, record)
    write_record(results, {**record, "status": "lost"})
    assert read_record(path)["status"] == "done"


@given(cut=st.integers(min_value=0, max_value=10_000))
def test_a_record_cut_short_anywhere_is_refused(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    results = Results(tmp_path_factory.mktemp("results"))
    path = write_done(results, TRAIN, {"weights_sha256": "w", "history": [{"epoch": 1}]})
    data = path.read_bytes().rstrip()
    path.write_bytes(data[: cut % len(data)])
    with pytest.raises(StoreError, match="unreadable record"):
        read_head(path)


def test_a_later_schema_is_refused(results: Results) -> None:
    path = write_done(results, TRAIN)
    path.write_text(path.read_text().replace('"schema":1', '"schema":2'))
    with pytest.raises(StoreError, match="schema 2, known is 1"):
        read_head(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"finished_at": "yesterday"}, "'yesterday' is no time"),
        ({"error": "it broke"}, "its error is no table"),
        ({"key": 7}, "no 'key'"),
    ],
)
def test_a_record_of_odd_values_is_passed_over(
    results: Results, change: dict[str, Any], message: str
) -> None:
    path = write_done(results, TRAIN)
    path.write_text(json.dumps({**read_record(path), **change}))
    with pytest.raises(StoreError, match=message):
        read_head(path)
    assert RecordIndex(results).statuses() == {}


def test_the_index_counts_failures_until_there_is_a_result(results: Results) -> None:
    index = RecordIndex(results)
    assert index.statuses() == {}
    write_failed(results, TRAIN, "error", 1)
    write_failed(results, TRAIN, "preempted", 2)
    status = index.statuses()[TRAIN.key]
    assert (status.failures, status.last_status, status.done) == (1, "error", False)
    assert status.last_message == "it broke; mend it"
    write_done(results, TRAIN, {"weights_sha256": "w"}, 3)
    assert index.statuses()[TRAIN.key].done
    assert index.statuses()[TRAIN.key].weights_sha256 == "w"


@pytest.mark.parametrize(
    ("statuses", "reason"),
    [
        (["error"], ""),
        (["error", "lost", "killed"], "it broke; mend it"),
        (["out_of_memory"], "out of memory"),
        (["time_limit"], "time limit"),
        (["preempted"] * 5, ""),
        (["error", "error", "error", "done"], ""),
    ],
)
def test_which_failures_are_final(results: Results, statuses: list[str], reason: str) -> None:
    for second, status in enumerate(statuses):
        if status == "done":
            write_done(results, TRAIN, {"weights_sha256": "w"}, second)
        else:
            write_failed(results, TRAIN, status, second)
    assert RecordIndex(results).statuses()[TRAIN.key].final_failure == reason


def test_forgiven_failures_do_not_count() -> None:
    status = KeyStatus(failures=4, last_status="error")
    assert status.failed()
    assert not status.failed(forgiven=2)


def test_the_earliest_training_is_chosen(results: Results) -> None:
    for second, weights in ((2, "later"), (1, "earliest"), (3, "last")):
        write_done(results, TRAIN, {"weights_sha256": weights}, second)
    expected = ("earliest", "later", "last")
    assert RecordIndex(results).statuses()[TRAIN.key].weights == expected
    assert trained_weights(results, TRAIN.key) == expected


def test_the_index_opens_only_new_files(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []

    def read(path: Path) -> dict[str, Any]:
        opened.append(path)
        return read_head(path)

    monkeypatch.setattr("studyspec.store.records.read_head", read)
    index = RecordIndex(results)
    write_failed(results, TRAIN)
    index.refresh()
    index.refresh()
    later = write_done(results, TRAIN, {"weights_sha256": "w"})
    index.refresh()
    assert opened[1:] == [later]


def test_a_bad_record_is_told_of_once_and_read_when_it_is_whole(
    results: Results, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_done(results, TRAIN, {"weights_sha256": "w"})
    whole = path.read_bytes()
    path.write_bytes(whole[:200])
    index = RecordIndex(results)
    with caplog.at_level(logging.WARNING):
        assert index.statuses() == {}
        assert index.statuses() == {}
    assert [path.name in message for message in caplog.messages] == [True]
    path.write_bytes(whole)
    assert index.statuses()[TRAIN.key].done


def test_halves_of_records_are_not_seen(results: Results) -> None:
    results.records.mkdir(parents=True)
    (results.records / ".KEY.UUID.json.123").write_text("{")
    assert RecordIndex(results).statuses() == {}


def test_weights_are_there_while_any_of_them_is(results: Results) -> None:
    write_done(results, TRAIN, {"weights_sha256": "first"}, 1)
    write_done(results, TRAIN, {"weights_sha256": "second"}, 2)
    index = RecordIndex(results)
    index.refresh()
    assert not index.has_artifact(TRAIN)
    results.networks.mkdir(parents=True)
    results.network("second").touch()
    assert index.has_artifact(TRAIN)


def test_an_unchanged_plan_is_recorded_once(results: Results) -> None:
    path = write_plan(results, PLAN)
    assert write_plan(results, PLAN) == path
    other = write_plan(results, {**PLAN, "cells": [1]})
    assert other != path
    assert write_plan(results, PLAN) not in (path, other)


def test_the_previous_plan_is_that_of_the_study_and_profile(results: Results) -> None:
    assert previous_plan(results, "s", None) is None
    write_plan(results, {**PLAN, "cells": [1]})
    write_plan(results, {**PLAN, "cells": [2]})
    write_plan(results, {**PLAN, "profile": "paper", "cells": [3]})
    found = previous_plan(results, "s", None)
    assert found is not None
    assert found["cells"] == [2]
    assert found["created_at"] > "2020"


def test_workers_need_no_duckdb() -> None:
    code = "import sys, studyspec.store.records, studyspec.store.layout, studyspec.store.planned; "
    subprocess.run([sys.executable, "-c", f"{code} assert 'duckdb' not in sys.modules"], check=True)
