from __future__ import annotations

from dataclasses import replace

import pytest

from studyspec.report.charts.parts import PARTS_CHART
from studyspec.report.frames import Frame
from tests.report.examples import frames


def test_scores_on_the_training_part_stand_beside_the_held_out_ones() -> None:
    made = frames(("A",))
    folds = [
        row._replace(split=split, metrics={"dice": dice})
        for row in made.folds.rows
        for split, dice in (("train", 0.9), ("test", 0.7))
    ]
    (chart,) = PARTS_CHART.draw(replace(made, folds=Frame(folds, "select 1")))
    assert {row["part"]: row["dice"] for row in chart.rows} == pytest.approx(
        {"trained on": 0.9, "held out": 0.7}
    )


def test_without_the_training_part_there_is_none() -> None:
    assert list(PARTS_CHART.draw(frames())) == []
