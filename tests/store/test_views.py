from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studyspec.catalog.columns import NAMES
from studyspec.learn import metrics
from studyspec.plan.expansion import Expansion
from studyspec.spec.identity import digest
from studyspec.store.ingest import ingest
from studyspec.store.layout import Results
from studyspec.store.queries import user_query
from tests.store.results_folders import (
    dataset,
    random_scores,
    result_of,
    variant,
    write_all_done,
    write_done,
    write_study,
)

Row = dict[str, Any]


def rows(results: Results, sql: str) -> list[Row]:
    """Ingest, then ask."""
    ingest(results)
    return user_query(results, sql).dicts()


def evaluation(expanded: Expansion, train: str, test: str, fold: int = 0) -> str:
    """The key of the evaluation of a fold of a cell of variant base."""
    return next(
        cell.evaluation
        for cell in expanded.cells
        if (cell.variant, cell.train, cell.test, cell.fold) == ("base", train, test, fold)
    )


def write_dice(results: Results, expanded: Expansion, dice: dict[str, float]) -> None:
    """Record evaluations of one patch of 2000 pixels whose pixel dice are as given, by key."""
    for job in expanded.jobs:
        if job.key in dice:
            tp = round(1000 * dice[job.key])
            one = {"image": [0], "row": [0], "col": [0], "orientation": [0], "loss_sum": [1.0]}
            counts = {"tp": [tp], "fp": [1000 - tp], "fn": [1000 - tp], "tn": [tp]}
            soft = {"soft_intersection": [1.0], "soft_sum": [2.0]}
            write_done(results, job, {**result_of(job), "scores": {**one, **counts, **soft}})


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32), forms=st.sampled_from([1, 8]))
def test_scores_are_the_formulas_on_the_counts(
    seed: int, forms: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    results = Results(tmp_path_factory.mktemp("results"))
    job = write_study(results, [dataset("Au", 3)], variant(["Au"])).jobs[-1]
    scores = random_scores(random.Random(seed), images=3, patches=4, forms=forms)
    write_done(results, job, {**result_of(job), "scores": scores})
    [row] = rows(results, "from scores")
    c = {name: np.array(values) for name, values in scores.items()}
    tp, fp, fn = c["tp"], c["fp"], c["fn"]
    assert row["n_patches"] == 12
    assert row["dice"] == pytest.approx(metrics.dice(tp, fp, fn))
    assert row["dice_micro"] == pytest.approx(metrics.dice_micro(tp, fp, fn))
    soft = metrics.soft_dice(c["soft_intersection"], c["soft_sum"])
    assert row["soft_dice"] == pytest.approx(soft)
    assert row["oversegmentation"] == pytest.approx(metrics.oversegmentation(fp, fn))
    assert row["loss"] == pytest.approx(c["loss_sum"].sum() / (100 * len(tp)))
    assert row["precision"] == pytest.approx(tp.sum() / (tp.sum() + fp.sum()))
    assert row["recall"] == pytest.approx(tp.sum() / (tp.sum() + fn.sum()))
    for image in range(3):
        asked = f"select dice, n_patches from image_scores where image_id = 'Au/{image}'"
        mine = c["image"] == image
        [row] = rows(results, asked)
        assert row == {
            "dice": pytest.approx(metrics.dice(tp[mine], fp[mine], fn[mine])),
            "n_patches": 4,
        }


def test_a_score_of_nothing_is_null(results: Results) -> None:
    job = write_study(results, [dataset("Au")], variant(["Au"])).jobs[-1]
    names = ("image", "row", "col", "orientation", "tp", "fp", "fn", "loss_sum")
    scores = {name: [0] for name in (*names, "soft_intersection", "soft_sum")} | {"tn": [100]}
    write_done(results, job, {**result_of(job), "scores": scores})
    [row] = rows(results, "from scores")
    assert row["dice"] == 1
    empty = ("dice_micro", "soft_dice", "precision", "recall", "oversegmentation")
    assert [row[name] for name in empty] == [None] * 5


def test_an_evaluation_without_patches_has_no_scores(results: Results) -> None:
    job = write_study(results, [dataset("Au")], variant(["Au"])).jobs[-1]
    write_done(results, job, {**result_of(job), "scores": {}})
    assert rows(results, "from scores") == []
    assert rows(results, "select chosen from attempts") == [{"chosen": True}]


def test_the_columns_are_those_of_the_design(results: Results) -> None:
    write_study(results, [dataset("Au")], variant(["Au"]))
    ingest(results)
    expected = {
        "patch_score": "evaluation split image_id row col orientation tp fp fn tn loss_sum "
        "soft_intersection soft_sum",
        "variant_setting": "study profile variant setting value",
        "scores": "study profile variant train test fold split n_patches dice dice_micro "
        "soft_dice loss precision recall oversegmentation network evaluation",
        "matrix": "study profile variant train test folds dice_mean dice_sd dice_micro_mean "
        "dice_micro_sd normalized",
    }
    for view, columns in expected.items():
        assert user_query(results, f"from {view}").columns == tuple(columns.split())


def test_the_matrix_is_mean_and_sd_over_the_folds(results: Results) -> None:
    expanded = write_study(results, [dataset("Au"), dataset("Ag")], variant(["Au", "Ag"], folds=3))
    values = (0.5, 0.6, 0.9)
    keys = [evaluation(expanded, "Au", "Ag", fold) for fold in range(3)]
    write_dice(results, expanded, dict(zip(keys, values, strict=True)))
    [row] = rows(results, "from matrix")
    assert (row["train"], row["test"], row["folds"]) == ("Au", "Ag", 3)
    assert row["dice_micro_mean"] == pytest.approx(np.mean(values))
    assert row["dice_micro_sd"] == pytest.approx(np.std(values, ddof=1))
    assert row["normalized"] is None


def test_one_fold_has_no_spread(results: Results) -> None:
    expanded = write_study(results, [dataset("Au")], variant(["Au"]))
    write_dice(results, expanded, {evaluation(expanded, "Au", "Au"): 0.5})
    [row] = rows(results, "select folds, dice_sd, normalized from matrix")
    assert row == {"folds": 1, "dice_sd": None, "normalized": 1.0}


def test_normalized_is_by_the_own_set_of_the_variant_or_of_base(results: Results) -> None:
    noisy = variant(["Au"], name="noisy", augment="x")
    noisy_settings = noisy.settings.model_copy(deep=True)
    changed = noisy_settings.model_copy(
        update={"training": noisy_settings.training.model_copy(update={"epochs": 3})}
    )
    pairs = (("Ag", "Au"), ("Ag", "Ag"))
    other = type(noisy)("noisy", changed, pairs, {"training.epochs": 3})
    expanded = write_study(results, [dataset("Au"), dataset("Ag")], variant(["Au"]), other)
    dice = {"base/Au/Au": 0.8, "noisy/Ag/Au": 0.4, "noisy/Ag/Ag": 0.5}
    cells = {f"{c.variant}/{c.train}/{c.test}": c.evaluation for c in expanded.cells if not c.fold}
    write_dice(results, expanded, {cells[name]: value for name, value in dice.items()})
    found = rows(results, "select variant, train, test, normalized from matrix order by all")
    assert [round(row["normalized"], 2) for row in found] == [1.0, 1.0, 0.5]
    assert [row["variant"] for row in found] == ["base", "noisy", "noisy"]


def test_cell_scores_hold_every_metric(results: Results) -> None:
    write_all_done(results, write_study(results, [dataset("Au")], variant(["Au"])))
    found = rows(results, "select metric, mean, sd from cell_scores where metric = 'dice'")
    assert found == rows(
        results, "select 'dice' as metric, dice_mean as mean, dice_sd as sd from matrix"
    )
    assert len(rows(results, "from cell_scores")) == 7


def test_of_two_trainings_the_earliest_is_chosen(results: Results) -> None:
    job = next(
        job
        for job in write_study(results, [dataset("Au")], variant(["Au"])).jobs
        if job.stage == "train"
    )
    for second in (3, 1, 2):
        write_done(results, job, {**result_of(job), "weights_sha256": f"w{second}"}, second)
    assert rows(results, "select weights_sha256 from networks") == [{"weights_sha256": "w1"}]
    assert len(rows(results, "from history")) == 2
    chosen = rows(results, "select weights_sha256 as w, chosen from attempts order by all")
    assert [row["chosen"] for row in chosen] == [True, False, False]


def test_of_trainings_at_the_same_time_the_lowest_hash_is_chosen(results: Results) -> None:
    job = next(
        job
        for job in write_study(results, [dataset("Au")], variant(["Au"])).jobs
        if job.stage == "train"
    )
    for seed in range(4):
        write_done(results, job, result_of(job, seed), 1)
    found = rows(results, "select hash, chosen from attempts order by hash")
    assert [row["chosen"] for row in found] == [True, False, False, False]


@pytest.mark.parametrize("own_weights_first", [True, False])
def test_an_evaluation_follows_the_chosen_weights(
    results: Results, own_weights_first: bool
) -> None:
    expanded = write_study(results, [dataset("Au")], variant(["Au"], folds=2))
    test = expanded.jobs[-1]
    train = next(job for job in expanded.jobs if job.key == test.ingredients["network"])
    chosen, other = digest("chosen"), digest("other")
    write_done(results, train, {**result_of(train), "weights_sha256": chosen}, 1)
    write_done(results, train, {**result_of(train), "weights_sha256": other}, 2)
    write_done(results, test, {**result_of(test), "weights_sha256": other}, 3)
    if own_weights_first:
        write_done(results, test, {**result_of(test), "weights_sha256": chosen}, 4)
    asked = "select weights_sha256 as w from attempts where stage = 'evaluate' and chosen"
    assert rows(results, asked) == [{"w": chosen if own_weights_first else other}]
    assert rows(results, "select n_patches from scores") == [{"n_patches": 6}]


def test_views_show_the_newest_plan_of_each_study_and_profile(results: Results) -> None:
    both = [dataset("Au"), dataset("Ag")]
    write_all_done(results, write_study(results, both, variant(["Au", "Ag"])))
    write_study(results, both, variant(["Au"]))
    write_study(results, both, variant(["Ag"]), profile="paper")
    write_study(results, both, variant(["Ag"]), study="other")
    found = rows(results, "select study, profile, train, test from matrix order by all")
    assert [tuple(row.values()) for row in found] == [
        ("other", "", "Ag", "Ag"),
        ("small", "", "Au", "Au"),
        ("small", "paper", "Ag", "Ag"),
    ]


def test_image_scores_hold_all_catalog_columns(results: Results) -> None:
    own: dict[str, Any] = {
        "batch": 3,
        'maker\'s "name"': "x",
        "dice": 0.5,
        "Material": "gold",
        "ok": True,
    }
    expanded = write_study(
        results, [dataset("Au", **own), dataset("Ag", batch=2.5)], variant(["Au"])
    )
    write_all_done(results, expanded)
    row = rows(results, "from image_scores where image_id = 'Au/0' and fold = 0")[0]
    assert set(NAMES) < set(row)
    assert (row["material"], row["diameter_nm"], row["batch"], row["ok"]) == ("Au", 5.0, 3, True)
    assert (row['maker\'s "name"'], row["image_dice"], row["image_Material"]) == ("x", 0.5, "gold")
    assert rows(results, "select batch from image where image_id = 'Ag/0'") == [{"batch": 2.5}]


def test_a_new_column_of_a_later_plan_appears(results: Results) -> None:
    write_study(results, [dataset("Au")], variant(["Au"]))
    assert "batch" not in rows(results, "from image")[0]
    write_study(results, [dataset("Ag", batch="b")], variant(["Ag"]), study="other")
    found = rows(results, "select image_id, batch from image order by all")
    assert [row["batch"] for row in found] == ["b", "b", None, None]


def test_datasets_count_images_and_patches(results: Results) -> None:
    names = ["Au", "Ag", "Au+Ag"]
    expanded = write_study(results, [dataset("Au"), dataset("Ag", 3)], variant(names))
    asked = "select dataset, images, patches from datasets order by images"
    assert [tuple(row.values()) for row in rows(results, asked)] == [
        ("Au", 2, None),
        ("Ag", 3, None),
        ("Au+Ag", 5, None),
    ]
    write_all_done(results, expanded)
    assert [row["patches"] for row in rows(results, asked)] == [8, 12, 20]


def test_settings_of_variants_are_plain_text(results: Results) -> None:
    changes = {"augment.noise.rho": 0.5, "preprocess.rescale.method": "normalize", "x": [1, 2]}
    changed = type(variant(["Au"]))("v", variant(["Au"]).settings, (("Au", "Au"),), changes)
    write_study(results, [dataset("Au")], variant(["Au"]), changed)
    found = rows(results, "select setting, value from variant_setting order by setting")
    assert [row["value"] for row in found] == ["0.5", "normalize", "[1,2]"]
