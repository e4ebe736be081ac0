"""Differences between cells of a study, each with an interval and what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from studyspec.stats.contrasts import GIVEN, Cell, variance_sum_t
from studyspec.stats.intervals import (
    Estimate,
    Resampled,
    Term,
    corrected_resampled_t,
    variance_sum,
)
from studyspec.stats.scores import CellName, Scores

RESAMPLED = "corrected resampled t"
SUMMED = "variance-sum t"
OF_SPREADS = "normal theory of standard deviations"


class Piece(NamedTuple):
    """A cell's metric and its weight in a sum."""

    name: CellName
    weight: float
    metric: str = "dice"


@dataclass(frozen=True)
class Difference:
    """A weighted sum of cells, mostly left less right, and how well it is known.

    `folds` and `micrographs` are the fewest behind any cell.
    """

    estimate: Estimate | Resampled
    folds: int
    micrographs: int
    method: str

    @property
    def value(self) -> float:
        """The difference itself."""
        return self.estimate.value

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval."""
        return self.estimate.interval()[0]

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval."""
        return self.estimate.interval()[1]


def mean_of(names: Sequence[CellName], metric: str, sign: int = 1) -> list[Piece]:
    """The mean of some cells, as a weighted sum."""
    return [Piece(name, sign / len(names), metric) for name in names]


def lacking(scores: Scores, pieces: Sequence[Piece]) -> str:
    """Why a sum of cells cannot be computed; empty if it can."""
    spreads = {piece.metric == "dice_sd" for piece in pieces}
    if len(spreads) > 1:
        return "a standard deviation cannot be compared with a score"
    for name, _, metric in pieces:
        if metric == "normalized" and scores.own_set(name) is None:
            return f"{name.test} has no own set to divide by"
        for part, its in _parts(scores, name, metric):
            if reason := _absence(scores, part, its):
                return reason
    return ""


def contrast(scores: Scores, pieces: Sequence[Piece]) -> Difference:
    """The weighted sum of cells, by the method that fits what they share.

    Two variants of one cell on the diagonal are compared fold by fold; all else by micrographs and
    networks. `lacking` must have found nothing.
    """
    cells = [cell for piece in pieces for cell in _cells(scores, piece)]
    if any(piece.metric == "dice_sd" for piece in pieces):
        estimate, method = _spreads(scores, pieces), OF_SPREADS
    elif _same_set(pieces, cells):
        left, right = (scores.per_fold(name, metric) for name, _, metric in pieces)
        folds = sorted(left.keys() & right.keys())
        paired = [pieces[0].weight * (left[fold] - right[fold]) for fold in folds]
        estimate, method = corrected_resampled_t(np.array(paired)), RESAMPLED
    else:
        error = variance_sum_t(cells)
        value = sum(weight * value_of(scores, name, metric) for name, weight, metric in pieces)
        estimate, method = Estimate(value, error.variance, error.degrees), SUMMED
    return based_on(cells, estimate, method)


def based_on(cells: Sequence[Cell], estimate: Estimate | Resampled, method: str) -> Difference:
    """An estimate with the numbers of folds and micrographs of its cells."""
    return Difference(
        estimate,
        min(len(np.unique(cell.fold)) for cell in cells),
        min(len(np.unique(cell.micrograph)) for cell in cells),
        method,
    )


def value_of(scores: Scores, name: CellName, metric: str) -> float:
    """The metric of one cell."""
    if metric == "dice_sd":
        return float(np.std(list(scores.per_fold(name, "dice").values()), ddof=1))
    values = [scores.mean(part, its) for part, its in _parts(scores, name, metric)]
    if metric == "normalized":
        return values[0] / values[1]
    return values[0] - values[1] if metric == "dice_drop" else values[0]


def _parts(scores: Scores, name: CellName, metric: str) -> list[tuple[CellName, str]]:
    """The cells, and their columns, that a metric of one cell is made of."""
    if metric == "normalized":
        own = scores.own_set(name)
        return [(name, "dice"), *([(own, "dice")] if own else [])]
    if metric == "dice_drop":
        return [(name._replace(split="train"), "dice"), (name._replace(split="test"), "dice")]
    return [(name, "dice" if metric == "dice_sd" else metric)]


def _absence(scores: Scores, name: CellName, metric: str) -> str:
    if name in scores.absent:
        return f"{name.text} is not complete: {scores.absent[name]}"
    if name not in scores.by_cell:
        return f"{name.text} is not a part of the study"
    folds = scores.per_fold(name, metric)
    if len(folds) < 2 and (folds.keys() != {GIVEN} or metric == "dice_sd"):
        return f"{name.text} has no {metric} on at least two folds"
    if len(np.unique(scores.cell(name, metric, 1.0).micrograph)) < 2:
        return f"{name.text} has no {metric} on at least two micrographs"
    return ""


def _cells(scores: Scores, piece: Piece) -> list[Cell]:
    """The cells of a piece, weighted by how much it changes with each (a ratio, to first order)."""
    name, weight, metric = piece
    parts = _parts(scores, name, metric)
    slopes = [1.0, -1.0]
    if metric == "normalized":
        mean, own = (scores.mean(part, "dice") for part, _ in parts)
        slopes = [1 / own, -mean / own**2]
    pairs = zip(parts, slopes, strict=False)
    return [scores.cell(part, its, weight * slope) for (part, its), slope in pairs]


def _same_set(pieces: Sequence[Piece], cells: Sequence[Cell]) -> bool:
    """Two variants of one cross-validation, each fold tested on what it was not trained on."""
    if len(pieces) != 2 or len(cells) != 2 or any(cell.crossed for cell in cells):
        return False
    left, right = pieces
    return (
        left.weight == -right.weight
        and left.metric == right.metric
        and left.name != right.name
        and left.name._replace(variant=right.name.variant) == right.name
    )


def _spreads(scores: Scores, pieces: Sequence[Piece]) -> Estimate:
    """A sum of standard deviations s over K folds, each with variance s² / (2 (K - 1))."""
    value, terms = 0.0, []
    for name, weight, metric in pieces:
        spread, degrees = value_of(scores, name, metric), len(scores.per_fold(name, "dice")) - 1
        value += weight * spread
        terms.append(Term(weight**2 * spread**2 / (2 * degrees), degrees))
    return variance_sum(value, terms)
