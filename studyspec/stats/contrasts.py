"""Contrasts: weighted sums of cells, with their error over micrographs and networks.

Whatever cells have in common, micrographs or
networks, is paired: it enters the error once, with the sum of its weights.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studyspec.stats.intervals import (
    Estimate,
    Floats,
    Resampled,
    Term,
    mean_term,
    variance_sum,
)

Indices = NDArray[np.intp]
FOREIGN = -1
"""The fold of a foreign network, which has none."""


@dataclass(frozen=True)
class WeightedCell:
    """The scores of one cell, weighted: a row for each fold and micrograph that it was tested on.

    Attributes
    ----------
    weight
        Its share of the contrast: +1 and -1 for a plain difference.
    mean
        Its score as the matrix tells it: the mean over the folds.
    networks, micrographs
        What tells its networks (training set and variant) and its test set from others.
    fold, micrograph
        Shape (R,): which of them each row is of.
    score, patches
        Shape (R,): the mean score of the row's patches, and their number.
    """

    weight: float
    mean: float
    networks: Hashable
    micrographs: Hashable
    fold: NDArray[np.int64]
    micrograph: NDArray[np.str_]
    score: Floats
    patches: Floats

    @property
    def foreign(self) -> bool:
        """Whether a foreign network was tested: no other could have come of its training."""
        return bool(len(self.fold)) and bool(np.all(self.fold == FOREIGN))

    @property
    def crossed(self) -> bool:
        """Whether every fold was tested on every micrograph, as off the diagonal."""
        return len(self.score) == len(np.unique(self.fold)) * len(np.unique(self.micrograph))


def variance_sum_t(cells: Sequence[WeightedCell]) -> Estimate:
    """The contrast, its error the sum of a term for each test set and each set of networks.

    On the diagonal each fold sees micrographs of its own, so that the spread of the folds holds
    that of the micrographs, which has its own term: there the overlap is taken off, as in two-way
    clustering [3]_ of `studyspec.stats.intervals`.
    """
    value = sum(cell.weight * cell.mean for cell in cells)
    terms = [
        *(_micrograph_term(its) for its in _grouped(cells, "micrographs")),
        *(_network_term(its, cells) for its in _grouped(cells, "networks") if not its[0].foreign),
    ]
    return variance_sum(value, terms)


def resampled_means(
    cells: Sequence[WeightedCell], random: np.random.Generator, replicates: int = 2000
) -> Floats:
    """The means of the cells when micrographs and networks are drawn anew, (replicates, cells).

    The two-way clustered bootstrap: cells draw what they share together. It assumes no distribution
    and checks `variance_sum_t`; for few micrographs its intervals are too narrow, and too wide on
    the diagonal.
    """
    times: dict[tuple[str, Hashable], Floats] = {}
    means = np.empty((replicates, len(cells)))
    for i, cell in enumerate(cells):
        weights = cell.patches
        for group, labels in (
            (("micrographs", cell.micrographs), cell.micrograph),
            (("networks", cell.networks), cell.fold),
        ):
            values, position = np.unique(labels, return_inverse=True)
            if group not in times:
                n = len(values)
                counts = random.multinomial(n, np.full(n, 1 / n), replicates)
                times[group] = counts.astype(np.float64)
            weights = weights * times[group][:, position]
        total = weights.sum(axis=1)
        empty = np.full(replicates, cell.mean)
        means[:, i] = np.divide(weights @ cell.score, total, out=empty, where=total > 0)
    return means


def two_way_bootstrap(
    cells: Sequence[WeightedCell], random: np.random.Generator, replicates: int = 2000
) -> Resampled:
    """The contrast by `resampled_means`."""
    weights = np.array([cell.weight for cell in cells])
    value = sum(cell.weight * cell.mean for cell in cells)
    return Resampled(value, resampled_means(cells, random, replicates) @ weights)


def _grouped(cells: Sequence[WeightedCell], name: str) -> Iterator[list[WeightedCell]]:
    for value in dict.fromkeys(getattr(cell, name) for cell in cells):
        yield [cell for cell in cells if getattr(cell, name) == value]


def _micrograph_term(cells: Sequence[WeightedCell]) -> Term:
    """What the choice of micrographs adds: the spread of their weighted sums over the cells."""
    names = np.unique(np.concatenate([cell.micrograph for cell in cells]))
    n = len(names)
    sums = np.zeros(n)
    for cell in cells:
        where, means, share = _by_micrograph(cell)
        sums[np.searchsorted(names, where)] += cell.weight * share * (means - share @ means) * n
    return Term(float(sums @ sums) / (n * (n - 1)), n - 1)


def _network_term(cells: Sequence[WeightedCell], all_cells: Sequence[WeightedCell]) -> Term:
    """What the choice of networks adds: the spread of the folds' weighted sums over the cells."""
    folds = np.unique(np.concatenate([cell.fold for cell in cells]))
    sums, overlap = np.zeros(len(folds)), 0.0
    for cell in cells:
        residual = cell.score - _expected(cell, all_cells)
        for i, fold in enumerate(folds):
            mine = cell.fold == fold
            if mine.any():
                sums[i] += cell.weight * np.average(residual[mine], weights=cell.patches[mine])
        if not cell.crossed:
            share = cell.patches / cell.patches.sum()
            off = share * (residual - share @ residual)
            overlap += cell.weight**2 * float(off @ off)
    term = mean_term(sums)
    return Term(max(0.0, term.variance - overlap), term.degrees)


def _expected(cell: WeightedCell, all_cells: Sequence[WeightedCell]) -> Floats:
    """What the cells of the other sign score on the same micrographs, for each row of `cell`.

    So a fold that saw only easy micrographs is not taken for a good network; where every fold saw
    every micrograph it changes nothing.
    """
    others = [
        _by_micrograph(other)
        for other in all_cells
        if other.micrographs == cell.micrographs and other.weight * cell.weight < 0
    ]
    expected = np.zeros(len(cell.score))
    for names, means, _ in others:
        position = np.searchsorted(names, cell.micrograph).clip(max=len(names) - 1)
        if not np.array_equal(names[position], cell.micrograph):
            return np.zeros(len(cell.score))
        expected += means[position] / len(others)
    return expected


def _by_micrograph(cell: WeightedCell) -> tuple[NDArray[np.str_], Floats, Floats]:
    """Names of the micrographs, their mean over the folds, and their share of the patches."""
    names, position = np.unique(cell.micrograph, return_inverse=True)
    patches = np.bincount(position, weights=cell.patches)
    means = np.bincount(position, weights=cell.patches * cell.score) / patches
    return names, means, patches / patches.sum()
