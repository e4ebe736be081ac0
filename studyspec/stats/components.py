"""Variance components: how much of a score each choice moves, and scores drawn with them.

Knows cells and their sizes; reads no store. Components are estimated by the analysis of variance of
crossed cells (Searle, Casella and McCulloch 1992, Variance Components, chapter 4).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from studyspec.stats.contrasts import WeightedCell
from studyspec.stats.intervals import Floats
from studyspec.stats.scores import CellName, FoldScore, ImageScore, Scores

MEAN = 0.8
"""The score that cells are drawn around; only ratios depend on it."""


@dataclass(frozen=True)
class Components:
    """Standard deviations of a score.

    Attributes
    ----------
    difficulty
        Of micrographs, for all networks alike.
    liking
        Of micrographs, for the networks of one training set and variant.
    network
        Of networks, on all micrographs alike.
    rest
        Of what is left.
    """

    difficulty: float
    liking: float
    network: float
    rest: float


PATCHES = Components(0.13, 0.03, 0.03, 0.043)
POOLED = Components(0.06, 0.015, 0.02, 0.033)
"""Typical of small networks on twin images: of a mean over patches, and of pixels pooled."""


@dataclass(frozen=True)
class Design:
    """The size of a study: its folds, and the micrographs of each test set.

    `held_out` are pairs of training and test sets that share images. `parts` is how many folds such
    a set is cut into at a time, if they are repeated.
    """

    folds: int
    micrographs: Mapping[str, int]
    held_out: frozenset[tuple[str, str]]
    parts: int | None = None

    def larger(self, micrographs: float = 1.0, folds: float = 1.0) -> Design:
        """The same with more of both."""
        more = {test: round(n * micrographs) for test, n in self.micrographs.items()}
        return replace(self, folds=round(self.folds * folds), micrographs=more)

    def sees(self, name: CellName, fold: int) -> list[int]:
        """The micrographs that a fold of a cell is tested on."""
        n = self.micrographs[name.test]
        if (name.train, name.test) not in self.held_out:
            return list(range(n))
        parts = self.parts or self.folds
        mine = [m for m in range(n) if m * parts // n == fold % parts]
        return mine if name.split == "test" else sorted(set(range(n)) - set(mine))


def typical(metric: str) -> Components:
    """What is known of a metric before any run."""
    return PATCHES if metric in ("dice", "normalized", "dice_sd", "dice_drop") else POOLED


def estimated(scores: Scores, metric: str) -> Components | None:
    """The components of past scores, as the mean over their crossed cells; None without any."""
    cells = [scores.weighted(name, metric, 1.0) for name in scores.by_cell if name.split == "test"]
    crossed = [cell for cell in cells if _usable(cell)]
    if not crossed:
        return None
    rest, network, both = np.mean([_analysis(_table(cell)) for cell in crossed], axis=0)
    apart = [_apart(*pair) for its in _by_test(crossed) for pair in combinations(its, 2)]
    liking = float(np.mean(apart)) if apart else both / 10
    liking = min(max(liking, 0.0), max(both, 0.0))
    squares = (both - liking, liking, network, rest)
    return Components(*(float(np.sqrt(max(one, 0.0))) for one in squares))


def drawn(
    names: Sequence[CellName], metrics: Iterable[str], of: tuple[Components, Design], seed: int
) -> Scores:
    """Scores of cells that are all equally good, by every metric."""
    (components, design), metrics = of, tuple(metrics)
    random = np.random.default_rng(seed)
    difficulty: dict[str, Floats] = {}
    networks: dict[tuple[str, str], Floats] = {}
    folds: list[FoldScore] = []
    images: list[ImageScore] = []
    for name in names:
        n = design.micrographs[name.test]
        easy = random.normal(0, components.difficulty, n)
        good = random.normal(0, components.network, design.folds)
        easy = difficulty.setdefault(name.test, easy)
        good = networks.setdefault((name.variant, name.train), good)
        score = MEAN + easy + random.normal(0, components.liking, n) + good[:, None]
        score = score + random.normal(0, components.rest, (design.folds, n))
        for fold in range(design.folds):
            seen = design.sees(name, fold)
            images += [
                ImageScore(name, fold, dict.fromkeys(metrics, float(score[fold, m])), f"{m:04}", 1)
                for m in seen
            ]
            if seen:
                mean = float(score[fold, seen].mean())
                folds.append(FoldScore(name, fold, dict.fromkeys(metrics, mean)))
    return Scores(folds, images)


def _usable(cell: WeightedCell) -> bool:
    return (
        not cell.foreign
        and cell.crossed
        and len(np.unique(cell.fold)) > 1
        and len(np.unique(cell.micrograph)) > 1
    )


def _table(cell: WeightedCell) -> Floats:
    return cell.score.reshape(len(np.unique(cell.fold)), -1)


def _analysis(table: Floats) -> tuple[float, float, float]:
    """The variances of the residual, of networks, and of micrographs."""
    folds, n = table.shape
    rows, columns = table.mean(axis=1), table.mean(axis=0)
    off = table - rows[:, None] - columns + table.mean()
    rest = float((off**2).sum()) / ((folds - 1) * (n - 1))
    return rest, float(rows.var(ddof=1)) - rest / n, float(columns.var(ddof=1)) - rest / folds


def _apart(left: WeightedCell, right: WeightedCell) -> float:
    """The variance of how two cells of one test set differ in what they find difficult."""
    if not np.array_equal(np.unique(left.micrograph), np.unique(right.micrograph)):
        return 0.0
    tables = _table(left), _table(right)
    rests = [_analysis(table)[0] / len(table) for table in tables]
    off = tables[0].mean(axis=0) - tables[1].mean(axis=0)
    return (float(off.var(ddof=1)) - sum(rests)) / 2


def _by_test(cells: Iterable[WeightedCell]) -> list[list[WeightedCell]]:
    found: dict[object, list[WeightedCell]] = defaultdict(list)
    for cell in cells:
        found[cell.micrographs].append(cell)
    return list(found.values())
