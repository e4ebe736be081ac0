from __future__ import annotations

from dataclasses import replace

from studyspec.report.charts.sweeps import SWEEPS
from studyspec.report.frames import Frame, MatrixCell, StudyFrames
from tests.report.examples import frames

SWEEP = {f"noisy[augment.noise.rho={rho}]": {"augment.noise.rho": rho} for rho in (0.5, 1.0)}


def scored(*dice: tuple[str, str, str, float]) -> StudyFrames:
    """A study whose plan has exactly these cells, with these scores."""
    cells = [
        {"variant": v, "train": a, "test": b, "fold": 0, "split": "test"}
        | {"network": "n", "evaluation": f"{v} {a} {b}"}
        for v, a, b, _ in dice
    ]
    rows = [MatrixCell(v, a, b, 1, {"dice": x}, {"dice": 0.01}, None) for v, a, b, x in dice]
    made = frames(("A", "B"), variants={"base": {}, **SWEEP}, cells=cells)
    return replace(made, matrix=Frame(rows, "select 1"))


def test_a_sweep_is_a_chart_with_the_own_set_of_base() -> None:
    points = [(name, "A", "B", 0.5 + i / 10) for i, name in enumerate(SWEEP)]
    (chart,) = SWEEPS.draw(scored(("base", "A", "A", 0.9), ("base", "B", "B", 0.8), *points))
    assert chart.title == "augment.noise.rho"
    assert [(row["value"], row["dice"], row["own"]) for row in chart.rows] == [
        (0.5, 0.5, 0.8),
        (1.0, 0.6, 0.8),
    ]


def test_the_own_set_is_that_of_the_same_point_if_there_is_one() -> None:
    points = [(name, train, "B", 0.5) for name in SWEEP for train in ("A", "B")]
    (chart,) = SWEEPS.draw(scored(("base", "B", "B", 0.8), *points))
    assert {row["own"] for row in chart.rows} == {0.5}


def test_an_own_set_that_is_incomplete_is_not_drawn() -> None:
    points = [(name, "A", "B", 0.5) for name in SWEEP]
    made = scored(("base", "B", "B", 0.8), *points)
    cells = [cell._replace(folds=0 if cell.test == cell.train else 1) for cell in made.matrix.rows]
    (chart,) = SWEEPS.draw(replace(made, matrix=Frame(cells)))
    assert {row["own"] for row in chart.rows} == {None}


def test_one_value_is_no_sweep() -> None:
    first = next(iter(SWEEP))
    assert list(SWEEPS.draw(scored((first, "A", "B", 0.5)))) == []
