from __future__ import annotations

import hashlib
import json
import logging
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studyspec.errors import StoreError
from studyspec.jobs.train import Trained
from studyspec.machine import Machine
from studyspec.plugins.registry import ARCHITECTURES
from studyspec.spec.identity import digest
from studyspec.spec.uses import Use
from studyspec.store.folder import Results
from studyspec.store.ingest import ingest
from studyspec.store.planned import previous_plan, write_plan
from studyspec.store.queries import user_query
from studyspec.store.record_file import (
    Head,
    Json,
    PlanName,
    PlanSequence,
    Status,
    new_plan_record,
    new_record,
    read_head,
    read_record,
    write_record,
)
from studyspec.store.records import KeyStatus, RecordIndex, trained_weights
from tests.store.results_folders import (
    LEARNING,
    at,
    circumstances,
    dataset,
    evaluate,
    prepare,
    result_of,
    train,
    trained,
    write_done,
    write_failed,
)

TRAIN = train([dataset("Au")])
LACKING = LEARNING.model_copy(update={"loss": Use(name="gone", recipe=1)})
PLAN: Json = {
    "study": "s",
    "profile": None,
    "cells": [],
    "variants": {},
    "datasets": {},
    "images": {},
}


def test_a_record_comes_back_as_it_was_written(results: Results) -> None:
    record = new_record(TRAIN, "done", circumstances(), trained("w"))
    found = read_record(write_record(results, record))
    assert found == record
    assert found.parsed(Trained) == trained("w")


def test_the_key_of_a_record_is_the_digest_of_its_ingredients(results: Results) -> None:
    for job in (TRAIN, evaluate(TRAIN.key, [dataset("Ag")])):
        record = read_record(write_done(results, job))
        assert record.head.key == digest(record.ingredients)


def test_a_record_tells_the_distributions_of_its_plug_ins(results: Results) -> None:
    provider = str(ARCHITECTURES.find("residual_unet").provider)
    plugins = read_head(write_done(results, TRAIN)).plugins
    assert plugins["architecture.residual_unet"] == provider
    assert set(plugins) == {
        "architecture.residual_unet", "loss.cross_entropy", "schedule.constant",
    }  # fmt: skip


def test_that_a_plug_in_is_missing_can_be_recorded(results: Results) -> None:
    task = TRAIN.task.model_copy(update={"learning": LACKING})
    head = read_head(write_failed(results, replace(TRAIN, task=task)))
    assert (head.status, head.plugins) == ("error", {})


def test_a_result_that_is_none_of_its_stage_is_told(results: Results) -> None:
    record = read_record(write_done(results, TRAIN, result_of(prepare(dataset("Au").images[0]))))
    with pytest.raises(StoreError, match="its result is none of stage 'train': weights_sha256"):
        record.parsed(Trained)


def test_the_head_is_read_without_the_body(results: Results) -> None:
    path = write_done(results, TRAIN, trained("w"))
    whole = read_record(path).head
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"not JSON at all\n}\n")
    assert read_head(path) == whole
    assert whole.weights_sha256 == "w"


def test_a_record_of_other_hands_is_read_too(results: Results) -> None:
    path = write_done(results, TRAIN)
    head = read_head(path)
    path.write_text(json.dumps(json.loads(path.read_text()), indent=4))
    assert read_head(path) == head


def test_numbers_that_are_not_finite_become_null(results: Results) -> None:
    found = read_record(write_done(results, TRAIN, trained("w", math.nan))).parsed(Trained)
    assert [epoch.train_loss for epoch in found.history] == [None, None]


def test_a_record_that_is_there_is_never_replaced(results: Results) -> None:
    record = new_record(TRAIN, "done", circumstances(), trained("w"))
    path = write_record(results, record)
    lost = record.head.model_copy(update={"status": "lost"})
    write_record(results, replace(record, head=lost))
    assert read_record(path).head.status == "done"


@given(cut=st.integers(min_value=0, max_value=10_000))
def test_a_record_cut_short_anywhere_is_refused(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    results = Results(tmp_path_factory.mktemp("results"))
    path = write_done(results, TRAIN)
    data = path.read_bytes().rstrip()
    path.write_bytes(data[: cut % len(data)])
    with pytest.raises(StoreError, match="unreadable record"):
        read_head(path)


def test_a_later_schema_is_refused(results: Results) -> None:
    path = write_done(results, TRAIN)
    path.write_text(path.read_text().replace('"schema":2', '"schema":3'))
    with pytest.raises(StoreError, match="schema 3, known is 2"):
        read_head(path)


def test_an_earlier_schema_is_one_clear_error(results: Results) -> None:
    for path in (write_done(results, TRAIN), write_done(results, TRAIN)):
        path.write_text(path.read_text().replace('"schema":2', '"schema":1'))
    index = RecordIndex(results)
    for _ in range(2):
        with pytest.raises(
            StoreError, match=r"of an earlier version.*move the folder .*results away"
        ):
            index.statuses()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"finished_at": "yesterday"}, "finished_at: 'yesterday' is no time"),
        ({"error": "it broke"}, "error: Input should be a valid dictionary"),
        ({"key": 7}, "key: Input should be a valid string"),
        ({"status": "odd"}, "status: Input should be 'done'"),
        ({"result": 7}, "its result is no table"),
    ],
)
def test_a_record_of_odd_values_is_passed_over(
    results: Results, change: Json, message: str
) -> None:
    path = write_done(results, TRAIN)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
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
    write_done(results, TRAIN, trained("w"), 3)
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
def test_which_failures_are_final(results: Results, statuses: list[Status], reason: str) -> None:
    for second, status in enumerate(statuses):
        if status == "done":
            write_done(results, TRAIN, trained("w"), second)
        else:
            write_failed(results, TRAIN, status, second)
    assert RecordIndex(results).statuses()[TRAIN.key].final_failure == reason


def test_forgiven_failures_do_not_count() -> None:
    status = KeyStatus(failures=4, last_status="error")
    assert status.failed()
    assert not status.failed(forgiven=2)


def test_the_earliest_training_is_chosen(results: Results) -> None:
    for second, weights in ((2, "later"), (1, "earliest"), (3, "last")):
        write_done(results, TRAIN, trained(weights), second)
    expected = ("earliest", "later", "last")
    assert RecordIndex(results).statuses()[TRAIN.key].weights == expected
    assert trained_weights(results, TRAIN.key) == expected


def test_the_index_opens_only_new_files(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []

    def read(path: Path, machine: Machine) -> Head:
        opened.append(path)
        return read_head(path, machine)

    monkeypatch.setattr("studyspec.store.records.read_head", read)
    index = RecordIndex(results)
    write_failed(results, TRAIN)
    index.refresh()
    index.refresh()
    later = write_done(results, TRAIN)
    index.refresh()
    assert opened[1:] == [later]


def test_a_bad_record_is_told_of_once_and_read_when_it_is_whole(
    results: Results, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_done(results, TRAIN)
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
    second = hashlib.sha256(b"weights").hexdigest()
    write_done(results, TRAIN, trained("first"), 1)
    write_done(results, TRAIN, trained(second), 2)
    index = RecordIndex(results)
    index.refresh()
    assert not index.has_artifact(TRAIN)
    results.networks.mkdir(parents=True)
    results.network(second).write_bytes(b"weights")
    assert index.has_artifact(TRAIN)


def test_weights_that_are_not_those_of_their_name_are_not_there(
    results: Results, caplog: pytest.LogCaptureFixture
) -> None:
    sha = hashlib.sha256(b"weights").hexdigest()
    write_done(results, TRAIN, trained(sha))
    results.networks.mkdir(parents=True)
    results.network(sha).write_bytes(b"weighty")
    index = RecordIndex(results)
    index.refresh()
    assert not index.has_artifact(TRAIN)
    assert not index.has_artifact(TRAIN)
    assert caplog.text.count("damaged weights") == 1


def test_a_failure_for_want_of_weights_is_tried_again_by_the_next_run(results: Results) -> None:
    for n in range(3):
        write_failed(results, TRAIN, after_s=n, kind="WeightsGone")
    status = RecordIndex(results).statuses()[TRAIN.key]
    assert status.failed()
    assert status.final_failure == ""


def test_an_unchanged_plan_is_recorded_once(results: Results) -> None:
    path = write_plan(results, PLAN)
    assert write_plan(results, PLAN) == path
    other = write_plan(results, {**PLAN, "cells": [1]})
    assert other != path
    assert write_plan(results, PLAN) not in (path, other)


@pytest.mark.parametrize("earlier_version", [False, True])
def test_a_plan_dated_ahead_is_followed_by_the_next(
    results: Results, earlier_version: bool
) -> None:
    ahead = at(new_plan_record("k", PlanName(study="s"), PLAN), 1e9)
    if earlier_version:
        head = ahead.head.model_copy(update={"sequence": PlanSequence()})
        ahead = replace(ahead, head=head)
    write_record(results, ahead)
    path = write_plan(results, {**PLAN, "cells": [1]})
    sequence = read_head(path).sequence
    assert sequence == PlanSequence(number=1 if earlier_version else 2, parent=ahead.head.uuid)
    assert RecordIndex(results).newest_plan("s", None) == path
    ingest(results)
    assert user_query(results, "select record from stored.newest_plan").rows == [(path.name,)]


def test_the_previous_plan_is_that_of_the_study_and_profile(results: Results) -> None:
    assert previous_plan(results, "s", None) is None
    write_plan(results, {**PLAN, "cells": [1]})
    write_plan(results, {**PLAN, "cells": [2]})
    write_plan(results, {**PLAN, "profile": "paper", "cells": [3]})
    found = previous_plan(results, "s", None)
    assert found is not None
    assert (found.plan["cells"], found.key) == ([2], digest({**PLAN, "cells": [2]}))
    assert found.created_at.year > 2020


def test_an_index_that_is_handed_around_sees_what_is_written(results: Results) -> None:
    index = RecordIndex(results)
    path = write_plan(results, PLAN, index)
    assert write_plan(results, PLAN, index) == path
    found = previous_plan(results, "s", None, index)
    assert found is not None
    assert found.key == digest(PLAN)


def test_workers_need_no_duckdb() -> None:
    rooms = "records, folder, planned, record_file, rules, kept"
    code = f"import sys; from studyspec.store import {rooms}; "
    check = "assert not {'duckdb', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code + check], check=True)
