"""Selection: the best point of a sweep, chosen by other scores than those that judge it.

The best of several by the same scores is flattered: its mistakes are in its favour. Here each
score of a fold and a micrograph is that of the point which is best on all other folds and all
other micrographs (leave-one-out selection; Varma and Simon 2006, Bias in error estimation when
using cross-validation for model selection, BMC Bioinformatics 7). Where all choose the same point,
nothing changes but that this is known. That is the estimate; its interval is `BestOf` of
`studyspec.stats.intervals`, as which point is picked varies too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studyspec.stats.contrasts import WeightedCell
from studyspec.stats.intervals import Floats
from studyspec.stats.scores import CellName, FoldScore, ImageScore, Scores, fold_of

Names = Sequence[CellName]


@dataclass(frozen=True)
class Selection:
    """The cells of a procedure that picks the best point, and how often it picks which.

    `scores` holds these cells beside those of the study.
    """

    scores: Scores
    names: Names
    shares: Mapping[str, float]

    @property
    def note(self) -> str:
        """As "noisy[rho=0.5] is the best of 3 points (92 % of the choices, ...)"."""
        best = max(self.shares, key=self.shares.__getitem__)
        said = (
            f"{100 * self.shares[best]:.0f} % of the choices, each on other micrographs and folds"
        )
        return f"{best} is the best of {len(self.shares)} points ({said})"


def select(points: Mapping[str, Names], metric: str, sign: int, scores: Scores) -> Selection:
    """The best point for each row, by all rows of other folds and of other micrographs.

    Parameters
    ----------
    points
        The cells of each point, in the same order of training and test sets.
    metric
        A metric of images.
    sign
        1 if the best is the highest, -1 if it is the lowest.
    """
    cells = {
        point: [scores.weighted(name, metric, 1.0) for name in names]
        for point, names in points.items()
    }
    order = list(points)
    tables = [[_Table.of(cell) for cell in cells[point]] for point in order]
    chosen: Counter[str] = Counter()
    folds: list[FoldScore] = []
    images: list[ImageScore] = []
    names = []
    for j, first in enumerate(points[order[0]]):
        of = CellName(f"best of {order[0].partition('[')[0]} by {metric}", *first[1:])
        names.append(of)
        pick = _picks(cells[order[0]][j], tables, sign)
        chosen.update(order[i] for i in pick.values())
        rows = [_rows(points[point][j], pick, i, scores) for i, point in enumerate(order)]
        mine = [row._replace(name=of) for its in rows for row in its]
        images += mine
        folds += _by_fold(of, mine, metric)
    total = chosen.total()
    shares = {point: chosen[point] / total for point in order}
    if max(shares.values()) == 1.0:
        return Selection(scores, points[max(shares, key=shares.__getitem__)], shares)
    return Selection(scores.beside(folds, images), names, shares)


@dataclass(frozen=True)
class _Table:
    """Weighted scores and patches of a cell, by fold and micrograph; zero where there are none."""

    test: object
    folds: NDArray[np.int64]
    micrographs: NDArray[np.str_]
    scores: Floats
    patches: Floats

    @classmethod
    def of(cls, cell: WeightedCell) -> _Table:
        folds, at_fold = np.unique(cell.fold, return_inverse=True)
        micrographs, at = np.unique(cell.micrograph, return_inverse=True)
        patches = np.zeros((len(folds), len(micrographs)))
        scores = np.zeros_like(patches)
        patches[at_fold, at] = cell.patches
        scores[at_fold, at] = cell.patches * cell.score
        return cls(cell.micrographs, folds, micrographs, scores, patches)

    def without(self, fold: int, micrograph: str, test: object) -> float:
        """The mean of what is of another fold and another micrograph; of one fold, keep it."""
        kept = np.ones_like(self.patches, dtype=bool)
        if len(self.folds) > 1:
            kept[self.folds == fold] = False
        if test == self.test:
            kept[:, self.micrographs == micrograph] = False
        patches = float(self.patches[kept].sum())
        return float(self.scores[kept].sum()) / patches if patches else np.nan


def _picks(
    cell: WeightedCell, tables: Sequence[Sequence[_Table]], sign: int
) -> dict[tuple[int, str], int]:
    """The number of the best point for each fold and micrograph of a cell."""
    picks = {}
    for fold, micrograph in zip(cell.fold.tolist(), cell.micrograph.tolist(), strict=True):
        where = fold, micrograph, cell.micrographs
        means = [np.mean([one.without(*where) for one in its]) for its in tables]
        picks[fold, micrograph] = int(np.nanargmax(sign * np.array(means)))
    return picks


def _rows(
    name: CellName, pick: Mapping[tuple[int, str], int], point: int, scores: Scores
) -> list[ImageScore]:
    """The rows of a point that were picked."""
    rows = scores.images_by_cell.get(name, ())
    return [row for row in rows if pick.get((fold_of(row), row.parent)) == point]


def _by_fold(name: CellName, rows: Sequence[ImageScore], metric: str) -> list[FoldScore]:
    """The mean over the patches of each fold."""
    found = []
    for fold in dict.fromkeys(row.fold for row in rows):
        scored = [
            (row.n_patches, value)
            for row in rows
            if row.fold == fold and (value := row.metrics.get(metric)) is not None
        ]
        patches, values = zip(*scored, strict=True)
        mean = float(np.average(values, weights=patches))
        found.append(FoldScore(name, fold, {metric: mean}))
    return found
