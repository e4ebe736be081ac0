from __future__ import annotations

import math

import pytest

from studyspec.trust.conditions import Conditions, differences, distance

GOLD = Conditions("Au", 0.02, 423.0, 5.0, "monday")


def test_an_image_is_compared_with_the_nearest_training_condition_column_by_column() -> None:
    trained = [GOLD, Conditions("Ag", 0.04, 80.0, 10.0, "friday")]
    found = differences(trained, Conditions("Ag", 0.042, 400.0, 5.0, "sunday"))
    assert found.log_pixel_scale == pytest.approx(math.log(0.042 / 0.04))
    assert found.log_dose == pytest.approx(math.log(400 / 423))
    assert found.log_diameter == 0
    assert (found.same_material, found.same_session) == (True, False)


def test_what_is_not_known_is_not_compared() -> None:
    found = differences([], GOLD)
    assert (found.log_dose, found.same_material, found.phase) == (None, None, None)
    assert differences([GOLD], Conditions()).log_pixel_scale is None


def test_distance_counts_factors_and_another_material() -> None:
    assert distance(GOLD, GOLD) == 0
    doubled = Conditions("Au", 0.02, 846.0, 5.0, "monday")
    assert distance(GOLD, doubled) == pytest.approx(math.log(2))
    assert distance(GOLD, Conditions("CdSe", 0.02, 423.0, 5.0, "monday")) == 1


def test_conditions_of_a_row_take_the_scale_of_the_prepared_image() -> None:
    row = {"material": "Au", "dose_e_per_A2": 423, "pixel_scale_nm": 0.02, "operator": "Ada"}
    assert Conditions.of(row, 0.033) == Conditions("Au", 0.033, 423.0)
    assert Conditions.of(row).text == "Au, 0.02 nm/px, 423 e/Å²"
