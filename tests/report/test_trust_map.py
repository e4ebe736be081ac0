from __future__ import annotations

from studyspec.report.trust_map import Place, drawing


def place(material: str, dose: float, dice: float | None = None) -> Place:
    return Place({"material": material, "dose_e_per_A2": dose}, dice)


PLACES = [
    place("Au", 423.0, 0.9),
    place("Au", 80.0, 0.7),
    place("Ag", 423.0),
    place("CdSe", 80.0, 0.2),
]


def test_a_map_has_every_combination_and_tells_what_is_known_of_it() -> None:
    found = drawing(PLACES)
    assert found is not None
    cells = {(row["x"], row["y"]): row for row in found.rows}
    assert len(cells) == 2 * 3
    assert cells["423 e/Å²", "Au"]["dice"] == 0.9
    assert (cells["423 e/Å²", "Ag"]["tested"], cells["423 e/Å²", "Ag"]["trained"]) == (0, 1)
    assert cells["80 e/Å²", "Ag"]["dice"] is None
    assert "nobody has been here" in str(cells["80 e/Å²", "Ag"]["aria"])


def test_what_lies_near_is_expected_where_nobody_tested() -> None:
    found = drawing([*PLACES, place("CdSe", 500.0, 0.5)])
    assert found is not None
    (near,) = (row for row in found.rows if (row["x"], row["y"]) == ("500 e/Å²", "Au"))
    assert near["tested"] == 0
    assert near["dice"] == 0.9  # of 423 e/Å², which is near


def test_one_varied_column_is_no_map() -> None:
    assert drawing([place("Au", 423.0, 0.9), place("Au", 80.0, 0.7)]) is None
