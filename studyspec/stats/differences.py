"""Differences between cells of a study, each with an interval and what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from studyspec.spec.derived import DICE
from studyspec.stats.contrasts import FOREIGN, WeightedCell, variance_sum_t
from studyspec.stats.intervals import (
    BestOf,
    Estimate,
    Resampled,
    Sides,
    Term,
    variance_sum,
)
from studyspec.stats.looks import ONCE, Look
from studyspec.stats.quantities import Spread, of_cell
from studyspec.stats.scores import CellName, Scores

SUMMED = "variance-sum t"
OF_SPREADS = "normal theory of standard deviations"


class Piece(NamedTuple):
    """What is told of a cell, by the name of a metric or derived quantity, and its weight."""

    name: CellName
    weight: float
    metric: str = DICE

    @property
    def spread(self) -> bool:
        """Whether it is a standard deviation, whose error follows a theory of its own."""
        return isinstance(of_cell(self.metric), Spread)


@dataclass(frozen=True)
class Difference:
    """A weighted sum of cells, mostly left less right, and how well it is known.

    `folds` and `micrographs` are the fewest behind any cell.
    """

    estimate: Estimate | Resampled | BestOf
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

    def bounds(self, sides: Sides, look: Look = ONCE) -> tuple[float, float]:
        """The 95 % interval, or (one-sided) the lower and the upper 95 % bound.

        At one of several looks at the level of that look.
        """
        return look.bounds(self.estimate, sides)


def mean_of(names: Sequence[CellName], metric: str, sign: int = 1) -> list[Piece]:
    """The mean of some cells, as a weighted sum."""
    return [Piece(name, sign / len(names), metric) for name in names]


def lacking(scores: Scores, pieces: Sequence[Piece]) -> str:
    """Why a sum of cells cannot be computed; empty if it can."""
    if len({piece.spread for piece in pieces}) > 1:
        return "a standard deviation cannot be compared with a score"
    for piece in pieces:
        told = of_cell(piece.metric)
        if reason := told.lack(scores, piece.name):
            return reason
        for name, metric in told.parts(scores, piece.name):
            if reason := _absence(scores, name, metric, piece.spread):
                return reason
    return ""


def contrast(scores: Scores, pieces: Sequence[Piece]) -> Difference:
    """The weighted sum of cells with its error over micrographs and networks.

    Standard deviations have a theory of their own. `lacking` must have found nothing.
    """
    cells = [cell for piece in pieces for cell in _weighted(scores, piece)]
    if any(piece.spread for piece in pieces):
        estimate, method = _spreads(scores, pieces), OF_SPREADS
    else:
        error = variance_sum_t(cells)
        value = sum(piece.weight * value_of(scores, piece.name, piece.metric) for piece in pieces)
        estimate, method = Estimate(value, error.variance, error.degrees), SUMMED
    return based_on(cells, estimate, method)


def best_contrast(
    scores: Scores,
    rows: Sequence[Sequence[Piece]],
    columns: Sequence[Sequence[Piece]],
    value: float,
) -> Difference:
    """The best of some points less the best of others, of which one side may have one point only.

    `rows` are what is made large, `columns` what is subtracted, their weights negative; `value` is
    the estimate by points that were chosen apart from it.
    """
    grid = [[contrast(scores, [*row, *column]) for column in columns] for row in rows]
    first = grid[0][0]
    estimates = [[_estimate(one) for one in row] for row in grid]
    method = f"{first.method}, {max(len(rows), len(columns))} points"
    folds = min(one.folds for row in grid for one in row)
    micrographs = min(one.micrographs for row in grid for one in row)
    return Difference(BestOf(value, estimates), folds, micrographs, method)


def _estimate(difference: Difference) -> Estimate:
    assert isinstance(difference.estimate, Estimate)
    return difference.estimate


def based_on(
    cells: Sequence[WeightedCell], estimate: Estimate | Resampled | BestOf, method: str
) -> Difference:
    """An estimate with the numbers of folds and micrographs of its cells."""
    return Difference(
        estimate,
        min(len(np.unique(cell.fold)) for cell in cells),
        min(len(np.unique(cell.micrograph)) for cell in cells),
        method,
    )


def value_of(scores: Scores, name: CellName, metric: str) -> float:
    """The metric, or the derived quantity, of one cell."""
    return of_cell(metric).value(scores, name)


def _absence(scores: Scores, name: CellName, metric: str, spread: bool) -> str:
    if name in scores.absent:
        return f"{name.text} is not complete: {scores.absent[name]}"
    if name not in scores.by_cell:
        return f"{name.text} is not a part of the study"
    folds = scores.per_fold(name, metric)
    if len(folds) < 2 and (folds.keys() != {FOREIGN} or spread):
        return f"{name.text} has no {metric} on at least two folds"
    if len(np.unique(scores.weighted(name, metric, 1.0).micrograph)) < 2:
        return f"{name.text} has no {metric} on at least two micrographs"
    return ""


def _weighted(scores: Scores, piece: Piece) -> list[WeightedCell]:
    """The cells of a piece, weighted by how much it changes with each."""
    told = of_cell(piece.metric)
    parts, slopes = told.parts(scores, piece.name), told.slopes(scores, piece.name)
    return [
        scores.weighted(name, metric, piece.weight * slope)
        for (name, metric), slope in zip(parts, slopes, strict=True)
    ]


def _spreads(scores: Scores, pieces: Sequence[Piece]) -> Estimate:
    """A sum of standard deviations s over K folds, each with variance s² / (2 (K - 1))."""
    value, terms = 0.0, []
    for piece in pieces:
        spread = value_of(scores, piece.name, piece.metric)
        (part,) = of_cell(piece.metric).parts(scores, piece.name)
        degrees = len(scores.per_fold(*part)) - 1
        value += piece.weight * spread
        terms.append(Term(piece.weight**2 * spread**2 / (2 * degrees), degrees))
    return variance_sum(value, terms)
