from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from studyspec.plugins.contracts import CountMetric
from studyspec.report import drawings
from studyspec.report.cells import merged_cells
from studyspec.report.drawings import Drawn
from studyspec.report.exports import LEFT_OUT, pictures, write_all
from studyspec.report.frames import Frame, StudyFrames
from studyspec.report.shown import Shown, shown
from tests.report.examples import Size, frames, replanned
from tests.report.test_drawings import GOOD, Charts, Made

SMALL = Size(folds=2, images=2, epochs=2)


def names_of(made: StudyFrames) -> list[str]:
    columns = shown(made.matrix.rows)
    return [name for name, _ in pictures(made, merged_cells(made), columns, ())]


def test_every_chart_of_the_page_is_a_picture() -> None:
    made = frames(("A", "B"), SMALL)
    assert names_of(made) == [
        *(f"matrix-base-{column.name}" for column in shown(made.matrix.rows)),
        "folds-base",
        "images-base-A",
        "images-base-B",
        "curves-base",
    ]


def test_variants_of_like_names_keep_their_files_apart() -> None:
    made = frames(("A",), SMALL)
    cells = [
        cell.model_copy(update={"variant": v}) for v in ("a b", "a_b") for cell in made.plan.cells
    ]
    found = names_of(
        replanned(made, variants={"a b": {}, "a_b": {}}, cells=[c.model_dump() for c in cells])
    )
    assert len(found) == len(set(found)) == 2 * 9


def test_files_are_written_and_a_failed_chart_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    charts = Charts(Made("spread", GOOD), Made("bad", KeyError("no such column")))
    monkeypatch.setattr(drawings, "CHARTS", charts)
    made = frames(("A",), SMALL)
    one_metric = [cell._replace(means={"dice": 0.5}, normalized=None) for cell in made.matrix.rows]
    written = write_all(replace(made, matrix=Frame(one_metric)), tmp_path / "out")
    names = {path.name for path in written}
    assert names == {path.name for path in (tmp_path / "out").iterdir()}
    assert {"spread.points.svg", "spread.points.png", "spread.points.pdf"} <= names
    assert {"spread.points.csv", "matrix-base-dice.csv", "images-base-A.csv"} <= names
    assert {"matrix-base-dice.svg", "cells.csv", "folds.csv", "matrix.tex", LEFT_OUT} <= names
    assert "chart 'bad' of studyspec-extras 1.2" in (tmp_path / "out" / LEFT_OUT).read_text()
    rows = list(csv.DictReader((tmp_path / "out" / "folds.csv").read_text().splitlines()))
    assert float(rows[0]["dice"]) == pytest.approx(made.folds.rows[0].metrics["dice"] or 0)


def test_a_metric_that_should_be_low_turns_the_colours() -> None:
    (cell,) = frames(("A",), SMALL).matrix.rows
    metric = CountMetric("gap", "Gap", "A gap.", "lower", "fp")
    column = Shown(metric, 0.0, 7.0)
    made = replace(frames(("A",), SMALL), matrix=Frame([cell._replace(means={"gap": 7.0})]))
    name, spec = next(iter(pictures(made, merged_cells(made), [column], [Drawn("x")])))
    assert name == "matrix-base-gap"
    values = {param["name"]: param.get("value") for param in spec["params"]}
    assert (values["low"], values["high"], values["reverse"]) == (
        pytest.approx(6.95),
        pytest.approx(7.05),
        True,
    )
    assert json.dumps(spec["datasets"]["cells"])
