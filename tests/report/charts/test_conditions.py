from __future__ import annotations

from studyspec.report.charts.conditions import CONDITIONS
from tests.report.examples import frames

DOSES = {"Au": 423.0, "Ag": 80.0}


def test_conditions_of_a_study_are_mapped_where_two_columns_differ() -> None:
    made = frames(("Au", "Ag"))
    for image_id, row in made.plan.images.items():
        material = image_id.split("/")[1]
        row |= {"material": material, "dose_e_per_A2": DOSES[material]}
    (chart,) = CONDITIONS.draw(made)
    cells = {(row["x"], row["y"]): row for row in chart.rows}
    assert cells["423 e/Å²", "Au"]["dice"] is not None
    assert cells["423 e/Å²", "Au"]["trained"] == 1
    assert cells["423 e/Å²", "Ag"]["dice"] is None


def test_a_study_of_one_condition_has_no_map() -> None:
    assert list(CONDITIONS.draw(frames(("Au",)))) == []
