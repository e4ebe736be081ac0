from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studyspec.catalog.columns import NAMES
from studyspec.jobs.evaluate import Evaluate, ScoreColumns
from studyspec.learn.metrics import reference
from studyspec.plugins.contracts import CountMetric
from studyspec.plugins.registry import METRICS
from studyspec.spec.identity import digest
from studyspec.store.folder import Results
from studyspec.store.ingest import ingest
from studyspec.store.queries import user_query
from studyspec.store.record_file import Json
from studyspec.store.snapshot import Cell
from tests.store.results_folders import (
    PATCH,
    Further,
    Study,
    Variant,
    dataset,
    evaluated,
    random_scores,
    result_of,
    trained,
    variant,
    write_all_done,
    write_done,
    write_study,
)

Row = dict[str, Cell]


def rows(results: Results, sql: str) -> list[Row]:
    """Ingest, then ask."""
    ingest(results)
    return user_query(results, sql).dicts()


def evaluation(expanded: Study, train: str, test: str, fold: int = 0) -> str:
    """The key of the evaluation of a fold of a cell of variant base."""
    return next(
        cell.evaluation
        for cell in expanded.cells
        if (cell.variant, cell.train, cell.test, cell.fold) == ("base", train, test, fold)
    )


def write_dice(results: Results, expanded: Study, dice: dict[str, float]) -> None:
    """Record evaluations of one patch of 50 x 50 pixels whose pixel dice are as given, by key."""
    for job in expanded.jobs:
        if job.key in dice:
            tp = round(1000 * dice[job.key])
            scores = one_patch(tp=tp, fp=1000 - tp, fn=1000 - tp, tn=500 + tp)
            write_done(results, job, evaluated(["a", "b"], scores))


def one_patch(tp: int = 0, fp: int = 0, fn: int = 0, tn: int = 0) -> ScoreColumns:
    """The counts of one patch."""
    return ScoreColumns(
        image=(0,),
        row=(0,),
        col=(0,),
        orientation=(0,),
        tp=(tp,),
        fp=(fp,),
        fn=(fn,),
        tn=(tn,),
        loss_sum=(1.0,),
        soft_intersection=(float(tp),),
        soft_sum=(2.0 * tp,),
    )


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32), forms=st.sampled_from([1, 8]))
def test_scores_are_the_formulas_on_the_counts(
    seed: int, forms: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    results = Results(tmp_path_factory.mktemp("results"))
    job = write_study(results, [dataset("Au", 3)], variant(["Au"])).jobs[-1]
    scores = random_scores(random.Random(seed), images=3, patches=4, forms=forms)
    write_done(results, job, evaluated(["Au/0", "Au/1", "Au/2"], scores))
    [row] = rows(results, "from scores")
    c = {name: np.array(values) for name, values in scores if name != "sums"}
    tp, fp, fn = c["tp"], c["fp"], c["fn"]
    assert row["n_patches"] == 12
    assert row["dice"] == pytest.approx(reference.dice(tp, fp, fn))
    assert row["dice_micro"] == pytest.approx(reference.dice_micro(tp, fp, fn))
    soft = reference.soft_dice(c["soft_intersection"], c["soft_sum"])
    assert row["soft_dice"] == pytest.approx(soft)
    assert row["oversegmentation"] == pytest.approx(reference.oversegmentation(fp, fn))
    assert row["loss"] == pytest.approx(c["loss_sum"].sum() / (PATCH**2 * len(tp)))
    assert row["precision"] == pytest.approx(tp.sum() / (tp.sum() + fp.sum()))
    assert row["recall"] == pytest.approx(tp.sum() / (tp.sum() + fn.sum()))
    for image in range(3):
        asked = f"select dice, n_patches from image_scores where image_id = 'Au/{image}'"
        mine = c["image"] == image
        [row] = rows(results, asked)
        assert row == {
            "dice": pytest.approx(reference.dice(tp[mine], fp[mine], fn[mine])),
            "n_patches": 4,
        }


def test_a_score_of_nothing_is_null(results: Results) -> None:
    job = write_study(results, [dataset("Au")], variant(["Au"])).jobs[-1]
    write_done(results, job, evaluated(["Au/0", "Au/1"], one_patch(tn=100)))
    [row] = rows(results, "from scores")
    assert row["dice"] == 1
    empty = ("dice_micro", "soft_dice", "precision", "recall", "oversegmentation")
    assert [row[name] for name in empty] == [None] * 5


def test_an_evaluation_without_patches_has_no_scores(results: Results) -> None:
    job = write_study(results, [dataset("Au")], variant(["Au"])).jobs[-1]
    write_done(results, job, evaluated(["Au/0", "Au/1"], ScoreColumns()))
    assert rows(results, "from scores") == []
    assert rows(results, "select chosen from attempts") == [{"chosen": True}]


def test_the_columns_are_those_of_the_design(results: Results) -> None:
    write_study(results, [dataset("Au")], variant(["Au"]))
    ingest(results)
    names = " ".join(METRICS.names)
    means = " ".join(f"{name}_mean {name}_sd" for name in METRICS.names)
    expected = {
        "patch_score": "evaluation split image_id row col orientation tp fp fn tn loss_sum "
        "soft_intersection soft_sum sums",
        "variant_setting": "study profile variant setting value",
        "scores": f"study profile variant train test fold split n_patches {names} "
        "network evaluation",
        "matrix": f"study profile variant train test folds {means} normalized",
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
    assert row == {"folds": 1, "dice_sd": None, "normalized": None}


@pytest.mark.parametrize(
    ("scored", "normalized"),
    [
        ({"base/Au/Au": 0.8, "noisy/Ag/Au": 0.4}, {"base/Au/Au": 1.0, "noisy/Ag/Au": 0.5}),
        ({"noisy/Ag/Ag": 0.5, "noisy/Au/Ag": 0.4}, {"noisy/Ag/Ag": 1.0, "noisy/Au/Ag": 0.8}),
        ({"base/Ag/Ag": 0.5, "noisy/Au/Ag": 0.4}, {"base/Ag/Ag": 1.0, "noisy/Au/Ag": None}),
    ],
    ids=["base where the variant plans none", "the variant's", "none where that is not scored"],
)
def test_normalized_is_by_the_own_set(
    results: Results, scored: dict[str, float], normalized: dict[str, float | None]
) -> None:
    noisy = Variant((("Ag", "Au"), ("Ag", "Ag"), ("Au", "Ag")), 1, "noisy")
    both = [dataset("Au"), dataset("Ag")]
    expanded = write_study(results, both, variant(["Au", "Ag"], folds=1), noisy)
    cells = {f"{c.variant}/{c.train}/{c.test}": c.evaluation for c in expanded.cells}
    write_dice(results, expanded, {cells[name]: value for name, value in scored.items()})
    found = rows(
        results, "select variant || '/' || train || '/' || test as c, normalized from matrix"
    )
    assert {
        row["c"]: None if row["normalized"] is None else round(float(str(row["normalized"])), 2)
        for row in found
    } == normalized


def test_cell_scores_hold_every_metric(results: Results) -> None:
    write_all_done(results, write_study(results, [dataset("Au")], variant(["Au"])))
    found = rows(results, "select metric, mean, sd from cell_scores where metric = 'dice'")
    assert found == rows(
        results, "select 'dice' as metric, dice_mean as mean, dice_sd as sd from matrix"
    )
    always = [one for one in METRICS if isinstance(one, CountMetric) and not one.counted_by]
    counted = {metric.name for metric in always}
    assert {row["metric"] for row in rows(results, "from cell_scores")} == counted


def test_of_two_trainings_the_earliest_is_chosen(results: Results) -> None:
    job = write_study(results, [dataset("Au")], variant(["Au"])).stage("train")[0]
    for second in (3, 1, 2):
        write_done(results, job, trained(f"w{second}"), second)
    assert rows(results, "select weights_sha256 from networks") == [{"weights_sha256": "w1"}]
    assert len(rows(results, "from history")) == 2
    chosen = rows(results, "select weights_sha256 as w, chosen from attempts order by all")
    assert [row["chosen"] for row in chosen] == [True, False, False]


def test_a_network_is_called_by_what_it_was_trained_on(results: Results) -> None:
    for name, profile in (("gold", None), ("more", "paper")):
        made = write_study(results, [dataset("Au")], variant(["Au"]), name=name, profile=profile)
        write_all_done(results, made)
    asked = "select name, names, study, train, fold from networks order by name"
    found = rows(results, asked)
    assert [row["name"] for row in found] == [f"gold/Au/{fold}" for fold in range(len(found))]
    assert found[0] == {
        "name": "gold/Au/0",
        "names": ["gold/Au/0", "more@paper/Au/0"],
        "study": "gold",
        "train": "Au",
        "fold": 0,
    }
    assert rows(results, "select distinct name from history order by name")[0] == {
        "name": "gold/Au/0"
    }


def test_of_trainings_at_the_same_time_the_lowest_hash_is_chosen(results: Results) -> None:
    job = write_study(results, [dataset("Au")], variant(["Au"])).stage("train")[0]
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
    assert isinstance(test.task, Evaluate)
    train = next(job for job in expanded.jobs if job.key == test.task.network)
    ids = ["Au/0", "Au/1"]
    scores = random_scores(random.Random(1), images=2)
    chosen, other = digest("chosen"), digest("other")
    write_done(results, test, evaluated(ids, scores, other), 3)
    ingest(results)
    write_done(results, train, trained(other), 2)
    write_done(results, train, trained(chosen), 1)
    if own_weights_first:
        write_done(results, test, evaluated(ids, scores, chosen), 4)
    asked = "select weights_sha256 as w from attempts where stage = 'evaluate' and chosen"
    assert rows(results, asked) == [{"w": chosen if own_weights_first else other}]
    assert rows(results, "select n_patches from scores") == [{"n_patches": 6}]


def test_views_show_the_newest_plan_of_each_study_and_profile(results: Results) -> None:
    both = [dataset("Au"), dataset("Ag")]
    write_all_done(results, write_study(results, both, variant(["Au", "Ag"])))
    write_study(results, both, variant(["Au"]))
    write_study(results, both, variant(["Ag"]), profile="paper")
    write_study(results, both, variant(["Ag"]), name="other")
    found = rows(results, "select study, profile, train, test from matrix order by all")
    assert [tuple(row.values()) for row in found] == [
        ("other", "", "Ag", "Ag"),
        ("small", "", "Au", "Au"),
        ("small", "paper", "Ag", "Ag"),
    ]


def test_image_scores_hold_all_catalog_columns(results: Results) -> None:
    own: Further = {
        "batch": 3,
        'maker\'s "name"': "x",
        "dice": 0.5,
        "Material": "gold",
        "ok": True,
    }
    expanded = write_study(
        results,
        [dataset("Au", further=own), dataset("Ag", further={"batch": 2.5})],
        variant(["Au"]),
    )
    write_all_done(results, expanded)
    row = rows(results, "from image_scores where image_id = 'Au/0' and fold = 0")[0]
    assert set(NAMES) < set(row)
    assert (row["material"], row["diameter_nm"], row["batch"], row["ok"]) == ("Au", 5.0, 3, True)
    assert (row['maker\'s "name"'], row["image_dice"], row["image_Material"]) == ("x", 0.5, "gold")
    assert rows(results, "select batch from image where image_id = 'Ag/0'") == [{"batch": 2.5}]


def test_image_scores_hold_the_focus_of_each_image(results: Results) -> None:
    gold = dataset("Au")
    series = [replace(row, defocus_nm=nm) for row, nm in zip(gold.images, (-5.0, 5.0), strict=True)]
    write_all_done(
        results, write_study(results, [replace(gold, images=tuple(series))], variant(["Au"]))
    )
    found = rows(results, "select distinct defocus_nm from image_scores order by all")
    assert [row["defocus_nm"] for row in found] == [-5, 5]


def test_a_new_column_of_a_later_plan_appears(results: Results) -> None:
    write_study(results, [dataset("Au")], variant(["Au"]))
    assert "batch" not in rows(results, "from image")[0]
    write_study(results, [dataset("Ag", further={"batch": "b"})], variant(["Ag"]), name="other")
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
    changes: Json = {
        "augment.noise.rho": 0.5,
        "preprocess.rescale.method": "normalize",
        "x": [1, 2],
    }
    changed = Variant((("Au", "Au"),), 2, "v", tuple(changes.items()))
    write_study(results, [dataset("Au")], variant(["Au"]), changed)
    found = rows(results, "select setting, value from variant_setting order by setting")
    assert [row["value"] for row in found] == ["0.5", "normalize", "[1,2]"]
