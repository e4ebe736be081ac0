"""Scores from counts, for reference: the store's views hold the same formulas in SQL."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64] | npt.NDArray[np.int64]


def patch_dice(tp: Array, fp: Array, fn: Array) -> npt.NDArray[np.float64]:
    """(2 TP + 1) / (2 TP + FP + FN + 1) of each patch (published code)."""
    return np.asarray((2 * tp + 1) / (2 * tp + fp + fn + 1))


def dice(tp: Array, fp: Array, fn: Array) -> float:
    """The mean of the patches' dice."""
    return float(patch_dice(tp, fp, fn).mean())


def dice_micro(tp: Array, fp: Array, fn: Array) -> float:
    """2 TP / (2 TP + FP + FN) over all pixels (published text); nan if nothing is particle."""
    total = 2 * tp.sum() + fp.sum() + fn.sum()
    return float(2 * tp.sum() / total) if total else float("nan")


def soft_dice(soft_intersection: Array, soft_sum: Array) -> float:
    """2 sum(p y) / (sum(p) + sum(y)) over all pixels."""
    return float(2 * soft_intersection.sum() / soft_sum.sum())


def oversegmentation(fp: Array, fn: Array) -> float:
    """FP / (FP + FN), pixels pooled; nan if the network made no mistake."""
    wrong = fp.sum() + fn.sum()
    return float(fp.sum() / wrong) if wrong else float("nan")
