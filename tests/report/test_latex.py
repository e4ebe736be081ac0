from __future__ import annotations

from studyspec.report.cells import CellResult
from studyspec.report.completeness import CellState
from studyspec.report.frames import MatrixCell
from studyspec.report.latex import latex
from studyspec.report.shown import shown
from studyspec.stats.scores import CellName
from tests.report.examples import HOSTILE

NAME = "A_1 & {B}"


def told(*cells: MatrixCell) -> str:
    results = [CellResult(CellState(cell.name, 2, 2), cell) for cell in cells]
    absent = CellResult(CellState(CellName("base", NAME, "C"), 0, 2))
    return latex([*results, absent], ["base"], shown(cells))


def cell(name: str, **means: float) -> MatrixCell:
    return MatrixCell("base", name, name, 2, means, {"dice": 0.01}, 1.0)


def test_latex_escapes_names_and_shows_both_numbers() -> None:
    text = told(cell(NAME, dice=0.8123))
    assert r"A\_1 \& \{B\}" in text
    assert r"$0.812 \pm 0.010$ & --" in text
    assert r"\textless{}/script" in told(cell(HOSTILE, dice=0.5))


def test_there_is_a_table_for_every_metric_with_scores() -> None:
    text = told(cell(NAME, dice=0.8, loss=0.3))
    assert text.count(r"\begin{tabular}{lcc}") == 3
    assert "% Cross-entropy, mean" in text
    assert "% Of own set, mean over folds, variant base" in text
