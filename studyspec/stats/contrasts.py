"""Contrasts: weighted sums of cells, with their error over micrographs and networks.

Whatever cells have in common is paired, and enters the error once with the sum of its weights:
micrographs of one test set, networks that are the same, and networks of one training set that
differ only in their variant, fold by fold. Pairing by differences assumes no correlation: the
spread of the differences is small where there is one, and large where it is negative.

What cannot be known from one training set: networks of several folds share training images, so that
what these images do to all of them alike is in no spread. Where it is half of the variance of the
networks, a fifth of the intervals of five folds miss the truth (13 % on 6 micrographs, 25 % on 48).
An interval is about other folds of the same images, and other micrographs to test on; that another
training set would do the same is told by other training sets alone.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from studyspec.stats.intervals import (
    Estimate,
    Floats,
    Resampled,
    Term,
    excess_term,
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
    variant, train
        Whose networks: those of a training set that differ in the variant have folds in common.
    micrographs
        What tells its test set from others.
    fold, micrograph
        Shape (R,): which of them each row is of; rows in the order of both.
    score, patches
        Shape (R,): the mean score of the row's patches, and their number.
    """

    weight: float
    mean: float
    variant: Hashable
    train: Hashable
    micrographs: Hashable
    fold: NDArray[np.int64]
    micrograph: NDArray[np.str_]
    score: Floats
    patches: Floats

    @property
    def networks(self) -> Hashable:
        """What tells its networks from others."""
        return self.variant, self.train

    @property
    def foreign(self) -> bool:
        """Whether a foreign network was tested: no other could have come of its training."""
        return bool(len(self.fold)) and bool(np.all(self.fold == FOREIGN))

    @property
    def crossed(self) -> bool:
        """Whether every fold was tested on every micrograph, as off the diagonal."""
        return len(self.score) == len(np.unique(self.fold)) * len(np.unique(self.micrograph))

    @property
    def design(self) -> Hashable:
        """What is the same for cells that can be compared row by row."""
        rows = self.fold.tobytes(), tuple(self.micrograph)
        return self.train, self.micrographs, rows, self.foreign


def variance_sum_t(cells: Sequence[WeightedCell]) -> Estimate:
    """The contrast, its error the sum of a term for each test set and each set of networks.

    The spread of the folds' means holds a part of that of the micrographs: all of it on the
    diagonal, where each fold sees micrographs of its own, and the residual where folds and
    micrographs are crossed. This part has its own term already and is taken off, as in two-way
    clustering [3]_ of `studyspec.stats.intervals`. On the diagonal the spread of micrographs holds
    that of the networks too, which is taken off as far as their scores elsewhere tell it.
    """
    value = sum(cell.weight * cell.mean for cell in cells)
    merged = [_merged(its) for its in _grouped(cells, [cell.design for cell in cells])]
    level = [_levelled(cell, merged) for cell in merged]
    tests = _grouped(level, [cell.micrographs for cell in level])
    trained = [cell for cell in merged if not cell.foreign]
    networks = [_network_term(its, merged) for its in _grouped(trained, _networks(trained))]
    overlap = sum(
        cell.weight**2 * _overlap(cell, cell.score - _expected(cell, level))
        for cell in level
        if not cell.foreign
    )
    excess = excess_term(networks, overlap)
    return variance_sum(value, [*(_micrograph_term(its) for its in tests), excess])


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


def _grouped(
    cells: Sequence[WeightedCell], groups: Sequence[Hashable]
) -> Iterator[list[WeightedCell]]:
    """The cells of each group; `groups` says which one each cell is of."""
    for value in dict.fromkeys(groups):
        yield [cell for cell, group in zip(cells, groups, strict=True) if group == value]


def _networks(cells: Sequence[WeightedCell]) -> list[Hashable]:
    """Which cells' networks are paired fold by fold: those of one training set, if folds match."""
    folds: dict[Hashable, set[bytes]] = {}
    for cell in cells:
        folds.setdefault(cell.train, set()).add(np.unique(cell.fold).tobytes())
    return [cell.train if len(folds[cell.train]) == 1 else cell.networks for cell in cells]


def _merged(cells: Sequence[WeightedCell]) -> WeightedCell:
    """Cells of one design as one: their weighted sum, row by row."""
    if len(cells) == 1:
        return cells[0]
    weights = np.array([cell.weight for cell in cells])
    score = weights @ np.array([cell.score for cell in cells])
    weight = float(weights.sum())
    if abs(weight) <= 1e-9 * float(np.abs(weights).sum()):
        weight = 1.0  # a difference: its rows are differences already
    first = cells[0]
    variants = tuple(dict.fromkeys(cell.variant for cell in cells))
    variant = variants[0] if len(variants) == 1 else variants
    mean = sum(cell.weight * cell.mean for cell in cells) / weight
    return replace(first, weight=weight, mean=mean, variant=variant, score=score / weight)


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
    sums = np.zeros(len(folds))
    for cell in cells:
        residual = cell.score - _expected(cell, all_cells)
        position = np.searchsorted(folds, cell.fold)
        patches = np.bincount(position, weights=cell.patches, minlength=len(folds))
        total = np.bincount(position, weights=cell.patches * residual, minlength=len(folds))
        sums += cell.weight * np.divide(total, patches, out=np.zeros_like(total), where=patches > 0)
    return mean_term(sums)


def _levelled(cell: WeightedCell, cells: Sequence[WeightedCell]) -> WeightedCell:
    """The cell as if its networks were equally good, as told by the test sets that all of them saw.

    Only where each fold saw micrographs of its own: elsewhere every micrograph has every network.
    """
    folds = np.unique(cell.fold)
    means = [
        other.score.reshape(len(folds), -1).mean(axis=1)
        for other in cells
        if other.networks == cell.networks
        and other.crossed
        and np.array_equal(np.unique(other.fold), folds)
    ]
    if cell.crossed or cell.foreign or not means:
        return cell
    quality = np.mean(means, axis=0)
    off = quality - quality.mean()
    return replace(cell, score=cell.score - off[np.searchsorted(folds, cell.fold)])


def _overlap(cell: WeightedCell, residual: Floats) -> float:
    """What of the variance of the mean over folds is in the term of the micrographs already."""
    share = cell.patches / cell.patches.sum()
    if not cell.crossed:
        off = share * (residual - share @ residual)
        return float(off @ off)
    folds = len(np.unique(cell.fold))
    table = residual.reshape(folds, -1)
    n = table.shape[1]
    rest = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
    return float((rest**2).sum() / ((folds - 1) * (n - 1)) * (share @ share))


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
