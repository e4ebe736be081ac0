from __future__ import annotations

import logging
import random
import re
from pathlib import Path

import pytest

from studyspec.plugins.contracts import CountMetric
from studyspec.store.folder import Results
from studyspec.store.ingest import ingest, rebuild
from studyspec.store.queries import user_query
from tests.store.dumps import dump
from tests.store.plugins import Rim, install, jaccard
from tests.store.results_folders import (
    dataset,
    evaluated,
    random_scores,
    result_of,
    variant,
    write_all_done,
    write_done,
    write_study,
)


@pytest.fixture
def full(results: Results) -> Results:
    write_all_done(results, write_study(results, [dataset("Au")], variant(["Au"])))
    ingest(results)
    return results


def test_a_metric_over_counts_is_a_column_of_every_view_of_scores(
    full: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, jaccard())
    [row] = user_query(full, "from matrix").dicts()
    asked = "select avg(tp / (tp + fp + fn)) from stored.fold_cell"
    assert row["jaccard_mean"] == pytest.approx(user_query(full, asked).rows[0][0])
    for view in ("scores", "image_scores"):
        assert user_query(full, f"select bool_and(jaccard < dice_micro) from {view}").rows == [
            (True,)
        ]
    assert user_query(full, "from cell_scores where metric = 'jaccard'").rows


def test_a_metric_that_is_gone_leaves_no_column(
    full: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = dump(full)
    with monkeypatch.context() as installed:
        install(installed, jaccard(), Rim())
        assert "jaccard" in user_query(full, "from scores").columns
    assert dump(full) == before


def test_a_sum_of_its_own_is_added_up_over_what_was_ingested_before(
    full: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    worst = CountMetric(
        "empty", "Empty", "Of all.", "lower", "empties / n", {"empties": "tp::int // 31"}
    )
    install(monkeypatch, worst)
    assert user_query(full, "select distinct empty from scores").rows == [(0.0,)]


def test_a_metric_over_pixels_is_null_where_it_was_not_asked_for(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, Rim())
    made = write_study(results, [dataset("Au", 1)], variant(["Au"]))
    first, second = made.stage("evaluate")
    result = result_of(first)
    write_done(results, first, result)
    scores = random_scores(random.Random(1), 1, patches=2, forms=1)
    counted = scores.model_copy(update={"sums": {"rim_hits": (1.0, 2.0), "rim_size": (4.0, 4.0)}})
    write_done(results, second, evaluated(["Au/0"], counted))
    ingest(results)
    assert user_query(results, "select rim from scores order by fold").rows == [(None,), (0.375,)]
    asked = "select sums['rim_hits'] from patch_score where sums is not null order by col"
    assert user_query(results, asked).rows == [(1.0,), (2.0,)]
    before = dump(results)
    rebuild(results)
    assert dump(results) == before


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        (jaccard("tp / nothing", "odd_column"), 'its SQL is wrong: .*"nothing" not found'),
        (jaccard("tp +", "odd_syntax"), "its SQL is wrong: .*syntax error"),
        (jaccard("sum(tp)", "odd_sum"), "its SQL is wrong: .*must appear in the GROUP BY"),
        (jaccard("'high'", "odd_text"), "its SQL is wrong: .*Could not convert"),
        (jaccard(name="fold"), "its name is taken by a column of the views"),
        (jaccard(name="Dice_Sum"), "its name is taken by a column of the views"),
    ],
)
def test_a_metric_that_is_wrong_is_told_of_and_left_out(
    full: Results,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    metric: CountMetric,
    reason: str,
) -> None:
    install(monkeypatch, metric, jaccard())
    with caplog.at_level(logging.WARNING):
        columns = user_query(full, "from scores").columns
    assert "jaccard" in columns
    assert len(columns) == len(set(columns))
    told = rf"metric '{metric.name}' of extras 1.2 \(extras.metrics:ONE\) is left out: {reason}"
    [message] = caplog.messages
    assert re.search(told, message)


def test_no_metric_is_named_in_the_store() -> None:
    room = Path(__file__).parents[2] / "studyspec" / "store"
    for path in (*room.glob("*.py"), *room.glob("*.sql")):
        assert not {"dice_micro", "soft_dice", "recall"} & set(path.read_text().split('"')), path
