"""Charts and pictures that only some studies have."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studyspec.report.extras import extras
from studyspec.report.frames import Frame
from studyspec.report.gallery import FALSE, HIT, MISSED, SHOWN_PX, draw, gallery
from studyspec.report.latex import latex
from studyspec.report.page import render, write
from studyspec.run.kept import KeptPatch
from tests.report.examples import HOSTILE, frames

SWEEP = {f"noisy[augment.noise.rho={rho}]": {"augment.noise.rho": rho} for rho in (0.5, 1.0)}


def kept(which: str = "best") -> KeptPatch:
    label = np.zeros((32, 32), bool)
    label[:16] = True
    pixels = np.full((32, 32), 128, np.uint8)
    return KeptPatch(which, "twin/Au/00", 1, 2, 0.5, pixels, label, label.T)


def cell(variant: str, train: str, test: str, dice: float) -> dict[str, Any]:
    return {"variant": variant, "train": train, "test": test, "dice_mean": dice, "dice_sd": 0.01}


def test_a_sweep_is_a_chart_with_the_own_set_of_base() -> None:
    made = frames(("A", "B"), variants={"base": {}, **SWEEP})
    rows = [cell("base", "A", "A", 0.9), cell("base", "B", "B", 0.8)]
    rows += [cell(name, "A", "B", 0.5 + i / 10) for i, name in enumerate(SWEEP)]
    (chart,) = extras(replace(made, matrix=Frame(rows, "select 1")))
    assert chart.title == "augment.noise.rho"
    assert [(row["value"], row["dice"], row["own"]) for row in chart.rows] == [
        (0.5, 0.5, 0.8),
        (1.0, 0.6, 0.8),
    ]


def test_scores_on_the_training_part_stand_beside_the_held_out_ones() -> None:
    made = frames(("A",))
    folds = [
        {**row, "split": split, "dice": dice}
        for row in made.folds.rows
        for split, dice in (("train", 0.9), ("test", 0.7))
    ]
    (chart,) = extras(replace(made, folds=Frame(folds, "select 1")))
    assert {row["part"]: row["dice"] for row in chart.rows} == pytest.approx(
        {"trained on": 0.9, "held out": 0.7}
    )


def test_what_was_measured_is_drawn() -> None:
    statistics = [
        {"variant": "base", "dataset": "A", "rho": rho, "contrast": 0.3, "roughness": 0.1}
        for rho in (0.0, 1.0)
    ]
    bins = [
        {
            "variant": "base",
            "dataset": "A",
            "intensity_low": low,
            "intensity_high": low + 1,
            "particle": 3,
            "background": 1,
        }
        for low in (-1, 0)
    ]
    made = replace(frames(("A",)), statistics=Frame(statistics, ""), histograms=Frame(bins, ""))
    found = {chart.name: chart for chart in extras(made)}
    assert list(found) == ["contrast", "roughness", "histograms"]
    assert [row["share"] for row in found["histograms"].rows] == [0.5] * 4


def test_a_plain_study_has_none() -> None:
    assert extras(frames()) == []


def test_a_picture_shows_hits_misses_and_false_positives() -> None:
    data, bar = draw(kept(), 0.02)
    picture = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), int)
    right = picture[:, -SHOWN_PX:]
    n = SHOWN_PX
    for (row, col), ink in {
        (n // 4, n // 4): HIT,
        (n // 4, 3 * n // 4): MISSED,
        (3 * n // 4 - 8, n // 4): FALSE,
    }.items():
        expected = 0.5 * 128 + 0.5 * np.array(ink)
        assert np.abs(right[row, col] - expected).max() < 12
    assert bar == 0.5 or bar == 1
    assert draw(kept(), None)[1] is None


def test_the_gallery_shows_one_fold_of_every_cell() -> None:
    made = frames(("A", "B"))
    names = [row["evaluation"] for row in made.folds.rows]
    made = replace(made, kept={name: [kept(), kept("worst")] for name in names})
    rows = gallery(made)
    assert len(rows) == 4 * 2
    assert {row["fold"] for row in rows} == {0}
    assert all(row["data"].startswith("data:image/jpeg;base64,") for row in rows)
    assert "What networks see" in render([made])
    assert "What networks see" not in render([frames(("A",))])


def test_too_many_pictures_go_to_a_folder_beside_the_page(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studyspec.report.page.PICTURES_BYTES", 1000)
    made = frames(("A",))
    made = replace(made, kept={row["evaluation"]: [kept()] for row in made.folds.rows})
    write([made], tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert len(list((tmp_path / "page_pictures").glob("*.jpg"))) == 1
    assert "in a folder beside this page" in text
    assert "base64" not in text.partition('id="data"')[2].partition("</script>")[0]


def test_latex_escapes_names_and_shows_both_numbers() -> None:
    cells = [cell("base", "A_1 & {B}", "A_1 & {B}", 0.8123), cell("base", "A_1 & {B}", "C", 0.5)]
    cells[1]["dice_mean"] = None
    text = latex(cells, ["base"])
    assert r"A\_1 \& \{B\}" in text
    assert r"$0.812 \pm 0.010$ & --" in text
    assert text.count(r"\begin{tabular}{lcc}") == 1
    assert r"\textless{}/script" in latex([cell("base", HOSTILE, HOSTILE, 0.5)], ["base"])
