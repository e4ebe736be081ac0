from __future__ import annotations

import numpy as np
import pytest

from studyspec.stats.differences import (
    OF_SPREADS,
    SUMMED,
    Piece,
    contrast,
    lacking,
    mean_of,
    value_of,
)
from studyspec.stats.intervals import Estimate
from studyspec.stats.scores import CellName, Scores
from tests.stats.made_up import Noise, scores

OWN, OFF = CellName("base", "Au", "Au"), CellName("base", "Ag", "Au")
BARE_OWN, BARE_OFF = CellName("bare", "Au", "Au"), CellName("bare", "Ag", "Au")
MEANS = {OWN: 0.9, OFF: 0.8, BARE_OWN: 0.85, BARE_OFF: 0.6}


@pytest.fixture
def made() -> Scores:
    return scores(MEANS)


def less(left: CellName, right: CellName, metric: str = "dice") -> list[Piece]:
    return [*mean_of([left], metric), *mean_of([right], metric, -1)]


def test_a_difference_is_that_of_the_matrix(made: Scores) -> None:
    difference = contrast(made, less(OFF, OWN))
    assert difference.value == pytest.approx(made.mean(OFF, "dice") - made.mean(OWN, "dice"))
    assert difference.low < difference.value < difference.high
    assert (difference.folds, difference.micrographs, difference.method) == (5, 12, SUMMED)


@pytest.mark.parametrize(("left", "right"), [(OWN, BARE_OWN), (OFF, BARE_OFF)])
def test_two_variants_are_paired_by_micrograph_and_by_fold(
    left: CellName, right: CellName, made: Scores
) -> None:
    paired = contrast(made, less(left, right))
    apart = [contrast(made, mean_of([name], "dice")).estimate for name in (left, right)]
    assert all(isinstance(one, Estimate) for one in (paired.estimate, *apart))
    assert paired.high - paired.low < 0.5 * (apart[0].interval()[1] - apart[0].interval()[0])


def test_what_a_negative_correlation_of_folds_adds_is_counted() -> None:
    made = scores({OFF: 0.8, BARE_OFF: 0.8}, Noise(network=0.05, folds=40, correlation=-0.8))
    both = contrast(made, less(OFF, BARE_OFF)).estimate
    assert isinstance(both, Estimate)
    assert both.variance == pytest.approx(2 * (1 + 0.8) * 0.05**2 / 40, rel=0.5)


def test_several_cells_are_averaged(made: Scores) -> None:
    pieces = [*mean_of([OWN, OFF], "dice"), *mean_of([BARE_OFF], "dice", -1)]
    mean = (made.mean(OWN, "dice") + made.mean(OFF, "dice")) / 2
    assert contrast(made, pieces).value == pytest.approx(mean - made.mean(BARE_OFF, "dice"))


def test_normalized_divides_by_the_own_set_of_the_same_variant(made: Scores) -> None:
    expected = made.mean(BARE_OFF, "dice") / made.mean(BARE_OWN, "dice")
    assert value_of(made, BARE_OFF, "normalized") == pytest.approx(expected)


def test_normalized_takes_the_own_set_of_base_if_its_variant_has_none() -> None:
    made = scores({OWN: 0.9, BARE_OFF: 0.6})
    expected = made.mean(BARE_OFF, "dice") / made.mean(OWN, "dice")
    assert value_of(made, BARE_OFF, "normalized") == pytest.approx(expected)


def test_an_own_set_divided_by_itself_is_certainly_one(made: Scores) -> None:
    difference = contrast(made, mean_of([OWN], "normalized"))
    assert (difference.low, difference.value, difference.high) == pytest.approx((1.0, 1.0, 1.0))


def test_the_error_of_a_ratio_is_that_of_its_logarithm(made: Scores) -> None:
    ratio = contrast(made, mean_of([OFF], "normalized"))
    linear = contrast(made, less(OFF, OWN))
    scale = ratio.estimate.interval()[1] - ratio.value
    assert scale == pytest.approx((linear.high - linear.value) / 0.9, rel=0.25)


def test_dice_by_image_is_the_mean_over_images_of_their_pixels_dice(made: Scores) -> None:
    rows = [row._replace(metrics={"dice_micro": 0.7}) for row in made.images_by_cell[OWN]]
    by_image = Scores(made.folds, [*rows, *made.images_by_cell[OFF]])
    assert value_of(by_image, OWN, "dice_by_image") == pytest.approx(0.7)
    assert contrast(made, less(OFF, OWN, "dice_by_image")).method == SUMMED


def test_drop_is_the_training_score_less_the_test_score() -> None:
    trained = OWN._replace(split="train")
    made = scores({OWN: 0.8, trained: 0.95})
    expected = made.mean(trained, "dice") - made.mean(OWN, "dice")
    assert contrast(made, mean_of([OWN], "dice_drop")).value == pytest.approx(expected)


def test_standard_deviations_are_compared_by_normal_theory(made: Scores) -> None:
    difference = contrast(made, less(OWN, OFF, "dice_sd"))
    left, right = (np.std(list(made.per_fold(n, "dice").values()), ddof=1) for n in (OWN, OFF))
    assert difference.value == pytest.approx(left - right)
    assert difference.method == OF_SPREADS
    assert difference.estimate.interval()[1] > difference.value


def test_what_is_missing_is_said(made: Scores) -> None:
    gone = CellName("base", "CdSe", "Au")
    assert lacking(made, less(gone, OWN)) == "CdSe → Au is not a part of the study"
    assert lacking(made, less(OWN, OFF)) == ""
    assert lacking(made, less(OWN, OFF, "dice_drop")).startswith("Au → Au (train) is not")
    mixed = [*mean_of([OWN], "dice"), *mean_of([OFF], "dice_sd", -1)]
    assert "cannot be compared" in lacking(made, mixed)


def test_an_incomplete_cell_is_missing_with_its_reason() -> None:
    made = scores(MEANS, absent={OFF: "out of memory"})
    assert lacking(made, less(OFF, OWN)) == "Ag → Au is not complete: out of memory"


def test_without_an_own_set_nothing_is_normalized() -> None:
    made = scores({OFF: 0.8})
    assert lacking(made, mean_of([OFF], "normalized")) == "Au has no own set to divide by"


def test_crops_of_one_micrograph_count_once() -> None:
    made = scores(MEANS)
    images = [row._replace(micrograph=row.image_id[-1]) for row in made.images]
    by_tens = Scores(made.folds, images)
    assert contrast(by_tens, less(OFF, BARE_OFF)).micrographs == 10


def test_one_micrograph_has_no_spread() -> None:
    made = scores({OFF: 0.8, BARE_OFF: 0.7}, Noise(micrographs=1))
    assert "at least two micrographs" in lacking(made, less(OFF, BARE_OFF))


def test_one_fold_of_a_foreign_network_has_no_spread() -> None:
    made = scores({OFF: 0.8})
    foreign = Scores([made.folds[0]._replace(fold=None)], made.images)
    assert "at least two folds" in lacking(foreign, mean_of([OFF], "dice_sd"))
