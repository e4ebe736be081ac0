from __future__ import annotations

from dataclasses import astuple

import pytest

from studyspec.stats.components import (
    PATCHES,
    POOLED,
    Components,
    Design,
    drawn,
    estimated,
    typical,
)
from studyspec.stats.scores import CellName, Scores
from tests.stats.made_up import Noise, scores

OFF, OTHER, OWN = (CellName("base", train, "Au") for train in ("Ag", "Cu", "Au"))
DESIGN = Design(5, {"Au": 10}, frozenset({("Au", "Au")}))
ONE = Components(0.1, 0.03, 0.02, 0.04)


def test_components_are_found_again() -> None:
    noise = Noise(200, 40, difficulty=0.1, liking=0.03, network=0.02, rest=0.04)
    found = estimated(scores({OFF: 0.8, OTHER: 0.7}, noise), "dice")
    assert found is not None
    assert astuple(found) == pytest.approx((0.1, 0.03, 0.02, 0.04), rel=0.25)


def test_without_crossed_cells_nothing_is_estimated() -> None:
    assert estimated(scores({OWN: 0.8}), "dice") is None
    assert estimated(Scores([], []), "dice") is None


def test_typical_ones_are_those_of_patches_or_of_pixels_pooled() -> None:
    assert (typical("dice"), typical("dice_micro")) == (PATCHES, POOLED)


def test_drawn_scores_have_the_design() -> None:
    made = drawn([OFF, OWN], ["dice"], (ONE, DESIGN), 0)
    assert len(made.images_by_cell[OFF]) == 50
    assert len(made.images_by_cell[OWN]) == 10
    assert sorted(made.per_fold(OWN, "dice")) == [0, 1, 2, 3, 4]
    again = drawn([OFF, OWN], ["dice"], (ONE, DESIGN), 0)
    assert made.images == again.images


def test_the_training_part_is_what_a_fold_is_not_tested_on() -> None:
    train = OWN._replace(split="train")
    assert set(DESIGN.sees(OWN, 2)) | set(DESIGN.sees(train, 2)) == set(range(10))
    assert not set(DESIGN.sees(OWN, 2)) & set(DESIGN.sees(train, 2))


def test_a_larger_design() -> None:
    larger = DESIGN.larger(micrographs=2, folds=2)
    assert (larger.folds, larger.micrographs) == (10, {"Au": 20})
