from __future__ import annotations

import math

import numpy as np
import pytest

from studyspec.learn.metrics.reference import (
    dice,
    dice_micro,
    oversegmentation,
    patch_dice,
    soft_dice,
)

TP, FP, FN = np.array([3, 0]), np.array([1, 0]), np.array([2, 0])


def test_patch_dice_is_smoothed_by_one() -> None:
    assert patch_dice(TP, FP, FN) == pytest.approx([7 / 10, 1.0])


def test_dice_is_the_mean_of_the_patches() -> None:
    assert dice(TP, FP, FN) == pytest.approx(0.85)


def test_micro_dice_pools_the_pixels() -> None:
    assert dice_micro(TP, FP, FN) == pytest.approx(6 / 9)


def test_micro_dice_of_nothing_is_no_number() -> None:
    assert math.isnan(dice_micro(TP[1:], FP[1:], FN[1:]))


def test_soft_dice_of_a_perfect_answer_is_one() -> None:
    y = np.array([0.0, 1.0, 1.0])
    assert soft_dice(np.array([(y * y).sum()]), np.array([(y + y).sum()])) == 1.0


def test_oversegmentation_is_the_share_of_false_particle() -> None:
    assert oversegmentation(FP, FN) == pytest.approx(1 / 3)
    assert math.isnan(oversegmentation(FP[1:], FN[1:]))
