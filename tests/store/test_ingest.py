from __future__ import annotations

import logging
import random
import shutil
import time
from pathlib import Path

import pytest

from studyspec.api.standing import overview
from studyspec.errors import StoreError
from studyspec.jobs.evaluate import Evaluated
from studyspec.store import ingest as ingesting
from studyspec.store.folder import Results
from studyspec.store.ingest import ingest, rebuild
from studyspec.store.planned import write_plan
from studyspec.store.queries import doubts, user_query
from studyspec.store.record_file import Json, read_head, read_record
from studyspec.store.records import RecordIndex
from tests.store.dumps import dump
from tests.store.results_folders import (
    Study,
    dataset,
    evaluated,
    random_scores,
    variant,
    write_all_done,
    write_done,
    write_failed,
    write_study,
)


def count(results: Results, what: str) -> int:
    """How many rows there are."""
    return int(str(user_query(results, f"select count(*) from {what}").rows[0][0]))


@pytest.fixture
def small(results: Results) -> Study:
    datasets = [
        dataset("Au", further={"batch": 1}),
        dataset("Ag", further={"batch": 2.5, "maker": "x"}),
    ]
    expanded = write_study(results, datasets, variant(["Au", "Ag"]))
    write_all_done(results, expanded)
    return expanded


def test_every_record_is_ingested_once(results: Results, small: Study) -> None:
    assert ingest(results) == len(small.jobs) + 1
    assert ingest(results) == 0
    assert count(results, "attempts") == len(small.jobs)
    assert count(results, "patch_score") == 8 * 2 * 3 * 2


def test_no_records_make_no_database(results: Results) -> None:
    assert ingest(results) == 0
    assert not results.database.exists()


def test_batches_add_up(results: Results, small: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest(results)
    at_once = dump(results)
    results.database.unlink()
    monkeypatch.setattr(ingesting, "BATCH_FILES", 3)
    assert ingest(results) == len(small.jobs) + 1
    assert dump(results) == at_once


@pytest.mark.usefixtures("small")
def test_a_rebuilt_database_is_the_same(results: Results) -> None:
    for path in sorted(results.records.iterdir(), reverse=True):
        hidden = path.rename(results.folder / path.name)
        ingest(results)
        hidden.rename(path)
    ingest(results)
    before = dump(results)
    assert rebuild(results) == len(list(results.records.iterdir()))
    assert dump(results) == before
    assert all(before[f"main.{view}"] for view in ("scores", "image_scores", "matrix", "datasets"))


def test_a_database_that_is_broken_is_rebuilt(results: Results, small: Study) -> None:
    results.database.write_text("this is no database")
    assert rebuild(results) == len(small.jobs) + 1
    assert count(results, "scores") == 8


def test_results_are_merged_by_copying_records(results: Results, tmp_path: Path) -> None:
    expanded = write_study(results, [dataset("Au")], variant(["Au"]))
    other = Results(tmp_path / "other")
    for number, job in enumerate(expanded.jobs):
        write_done(results if number % 2 else other, job)
    ingest(results)
    shutil.copytree(other.records, results.records, dirs_exist_ok=True)
    ingest(results)
    assert count(results, "attempts where chosen") == len(expanded.jobs)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[: len(data) // 2], "not JSON"),
        (lambda data: b"", "not JSON"),
        (lambda data: b"\xff\xfe" + data, "not text"),
        (lambda data: b"[1, 2]", "another schema"),
        (lambda data: data.replace(b'"schema":2', b'"schema":9'), "another schema"),
        (lambda data: data.replace(b'"status"', b'"state"'), "no status"),
        (lambda data: data.replace(b'"image_ids"', b'"ids"'), "no image_ids in its result"),
        (
            lambda data: data.replace(b'"network":"', b'"of":"'),
            "key is not the digest of its ingredients",
        ),
        (lambda data: data.replace(b'"tp":[', b'"tp":[1,'), "do not fit together"),
        (lambda data: data.replace(b'"tp":[', b'"tp":[-9'), "counts are negative"),
        (lambda data: data.replace(b'"tn":[', b'"tn":[1'), "do not add up to the pixels"),
        (lambda data: data.replace(b'"finished_at":"20', b'"finished_at":"19'), "dated 1925"),
        (lambda data: data.replace(b'"finished_at":"20', b'"finished_at":"22'), "dated after its"),
        (lambda data: data.replace(b'"images":["', b'"images":["0'), "digest of its ingredients"),
        (lambda data: data.replace(b'"uuid":"', b'"uuid":"0'), "name is not its key and uuid"),
        (lambda data: data.replace(b'"image":[0', b'"image":[7'), "do not fit together"),
        (lambda data: data.replace(b'"image":[0', b'"image":["x"'), "do not fit together"),
    ],
)
def test_a_bad_record_is_told_of_once_and_passed_over(
    results: Results, damage: object, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = next(p for p in results.records.iterdir() if read_head(p).stage == "evaluate")
    whole = path.read_bytes()
    path.write_bytes(damage(whole))  # type: ignore[operator]
    with caplog.at_level(logging.WARNING):
        ingest(results)
        assert ingest(results) == 0
    assert [path.name in message and reason in message for message in caplog.messages] == [True]
    assert count(results, "scores") == 7
    assert user_query(results, "select record from unreadable_records").rows == [(path.name,)]
    path.write_bytes(whole)
    assert ingest(results) == 1
    assert (count(results, "scores"), count(results, "unreadable_records")) == (8, 0)


def test_a_refused_record_is_as_if_it_were_not_there(results: Results, small: Study) -> None:
    job = small.stage("evaluate")[0]
    index = RecordIndex(results)
    assert index.statuses()[job.key].done
    (path,) = results.records.glob(f"{job.key}.*")
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"tn":[', b'"tn":[1'))
    ingest(results)
    assert not index.statuses()[job.key].done
    assert job.key not in RecordIndex(results).statuses()
    path.write_bytes(whole)
    assert ingest(results) == 1
    assert RecordIndex(results).statuses()[job.key].done
    assert index.statuses()[job.key].done


@pytest.mark.usefixtures("small")
def test_what_is_no_file_is_passed_over(results: Results) -> None:
    (results.records / "folder.json").mkdir()
    (results.records / "gone.json").symlink_to(results.records / "nowhere")
    ingest(results)
    assert count(results, "unreadable_records") == 2
    assert count(results, "scores") == 8


def test_a_copy_of_a_record_under_another_name_counts_once(results: Results) -> None:
    expanded = write_study(results, [dataset("Au")], variant(["Au"], folds=2))
    paths = [write_done(results, job) for job in expanded.jobs]
    ingest(results)
    before = user_query(results, "from scores order by all").rows
    for path in paths:
        shutil.copy(path, path.with_name(f"copy of {path.name}"))
    ingest(results)
    assert user_query(results, "from scores order by all").rows == before


@pytest.mark.usefixtures("small")
def test_a_record_of_an_earlier_version_is_one_clear_error(results: Results) -> None:
    for path in results.records.iterdir():
        path.write_text(path.read_text().replace('"schema":2', '"schema":1'))
    with pytest.raises(
        StoreError, match=r"of an earlier version.*; move the folder .*results away"
    ):
        ingest(results)


def test_failures_are_kept_until_there_is_a_result(results: Results) -> None:
    job = write_study(results, [dataset("Au")], variant(["Au"])).jobs[-1]
    write_failed(results, job, "lost", 1)
    write_failed(results, job, "out_of_memory", 2)
    ingest(results)
    asked = "select status, error_message, error_hint, log from failures"
    expected = [("out_of_memory", "it broke", "mend it", "run/logs/x.log")]
    assert user_query(results, asked).rows == expected
    write_done(results, job)
    ingest(results)
    assert count(results, "failures") == 0
    assert count(results, "attempts") == 3


def test_a_thousand_small_evaluations_are_ingested_in_seconds(results: Results) -> None:
    expanded = write_study(results, [dataset("Au", 4)], variant(["Au"], folds=2))
    scores = random_scores(random.Random(1), images=4, patches=5, forms=1)
    path = write_done(results, expanded.jobs[-1], evaluated(["a", "b", "c", "d"], scores))
    text = path.read_text()
    key, uuid, _ = path.name.split(".")
    for number in range(1000):
        copy = results.records / f"{key}.{number}.json"
        copy.write_text(text.replace(uuid, str(number)))
    began = time.monotonic()
    assert ingest(results) == 1002
    assert time.monotonic() - began < 20
    assert count(results, "stored.evaluate_scores") == 1001 * 20


def test_a_large_plan_is_ingested_in_seconds(results: Results) -> None:
    names = [f"{number:064}" for number in range(20_000)]
    cell: Json = {
        "variant": "v",
        "train": "a",
        "test": "b",
        "fold": 0,
        "split": "test",
        "network": "n",
    }
    plan: Json = {
        "study": "large",
        "profile": None,
        "cells": [cell | {"evaluation": name} for name in names],
        "images": {name: {"image_id": name, "material": "Au"} for name in names},
        "evaluations": {name: {"images": "l"} for name in names},
        "variants": {"v": {}},
        "datasets": {},
    }
    write_plan(results, plan)
    began = time.monotonic()
    assert ingest(results) == 1
    assert time.monotonic() - began < 20
    assert count(results, "cells") == count(results, "image") == 20_000


def test_records_of_one_test_that_disagree_are_shown(results: Results, small: Study) -> None:
    ingest(results)
    assert count(results, "disagreements") == 0
    job = small.stage("evaluate")[0]
    (path,) = results.records.glob(f"{job.key}.*")
    before = read_record(path).parsed(Evaluated)
    write_done(results, job, before)
    ingest(results)
    assert count(results, "disagreements") == 0
    scores = random_scores(random.Random(7), len(before.image_ids))
    write_done(results, job, before.model_copy(update={"scores": scores}))
    ingest(results)
    told = user_query(results, "select key, records from disagreements").rows
    assert told == [(job.key, 3)]
    assert list(doubts(results)) == [job.key]
    assert "3 records of one test say dice" in overview(results.folder).doubts[0]


@pytest.mark.parametrize("view", ["scores", "image_scores", "cell_scores", "matrix"])
def test_answers_have_the_same_bits_in_whatever_order_records_came(
    view: str, two_orders: tuple[Results, Results]
) -> None:
    one, other = (user_query(results, f"from {view} order by all") for results in two_orders)
    assert one.rows
    assert one == other


@pytest.fixture(scope="module")
def two_orders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, Results]:
    """The same records, taken in at once and some by some from the last."""
    folder = tmp_path_factory.mktemp("orders")
    at_once, singly = Results(folder / "at once"), Results(folder / "singly")
    sets = [dataset("Au", 5), dataset("Ag", 5)]
    write_all_done(at_once, write_study(at_once, sets, variant(["Au", "Ag"], folds=5)))
    singly.records.mkdir(parents=True)
    for number, path in enumerate(sorted(at_once.records.iterdir(), reverse=True)):
        shutil.copy2(path, singly.records)
        if number % 8 == 0:
            ingest(singly)
    ingest(singly)
    assert ingest(at_once)
    return at_once, singly


def test_counts_of_other_patches_than_the_images_were_cut_into_are_refused(
    results: Results, small: Study
) -> None:
    job = small.stage("evaluate")[0]
    (path,) = results.records.glob(f"{job.key}.*")
    scores = read_record(path).parsed(Evaluated).scores
    larger = scores.model_copy(update={"tn": tuple(n + 1024 - 256 for n in scores.tn)})
    result = read_record(path).parsed(Evaluated).model_copy(update={"scores": larger})
    path.unlink()
    odd = write_done(results, job, result)
    ingest(results)
    told = user_query(results, "from unreadable_records").rows
    assert told == [(odd.name, "its counts are of 1024 pixels, its patches have 256")]
