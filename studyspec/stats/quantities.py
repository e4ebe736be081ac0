"""Quantities: how what is said of one cell is made of its scores, or of those of its own set."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from studyspec.spec.derived import DICE, DICE_BY_IMAGE, DICE_DROP, DICE_MICRO, DICE_SD, NORMALIZED
from studyspec.stats.scores import CellName, Scores


class Part(NamedTuple):
    """A metric of a cell."""

    name: CellName
    metric: str


class Quantity(ABC):
    """A number that is told of a cell."""

    @property
    def of_images(self) -> str:
        """The metric of images that it is the mean of; empty if it is no such mean."""
        return ""

    @abstractmethod
    def parts(self, scores: Scores, name: CellName) -> list[Part]:
        """What it is made of."""

    @abstractmethod
    def value(self, scores: Scores, name: CellName) -> float:
        """The number itself; `lack` must have found nothing."""

    @abstractmethod
    def slopes(self, scores: Scores, name: CellName) -> list[float]:
        """How much it changes with each of its parts, to first order."""

    def lack(self, scores: Scores, name: CellName) -> str:
        """Why there is none, if its parts cannot be named; else empty."""
        return ""


@dataclass(frozen=True)
class Plain(Quantity):
    """A metric, its mean over the folds."""

    metric: str

    @property
    def of_images(self) -> str:
        """The metric."""
        return self.metric

    def parts(self, scores: Scores, name: CellName) -> list[Part]:
        """The metric."""
        return [Part(name, self.metric)]

    def value(self, scores: Scores, name: CellName) -> float:
        """The mean."""
        return scores.mean(name, self.metric)

    def slopes(self, scores: Scores, name: CellName) -> list[float]:
        """One."""
        return [1.0]


class ByImage(Plain):
    """The mean over images of a metric that pools the pixels of each, then over folds."""

    def value(self, scores: Scores, name: CellName) -> float:
        """The mean."""
        cell = scores.weighted(name, self.metric, 1.0)
        folds = [cell.fold == fold for fold in np.unique(cell.fold)]
        means = [np.average(cell.score[fold], weights=cell.patches[fold]) for fold in folds]
        return float(np.mean(means))


class Spread(Plain):
    """The standard deviation of a metric over the folds (ddof 1)."""

    @property
    def of_images(self) -> str:
        """None: it is no mean."""
        return ""

    def value(self, scores: Scores, name: CellName) -> float:
        """The standard deviation."""
        return float(np.std(list(scores.per_fold(name, self.metric).values()), ddof=1))


@dataclass(frozen=True)
class OfOwnSet(Quantity):
    """A metric divided by that of the own set."""

    metric: str

    def parts(self, scores: Scores, name: CellName) -> list[Part]:
        """The cell, then its own set."""
        own = scores.own_set(name)
        return [Part(name, self.metric), *([Part(own, self.metric)] if own else [])]

    def value(self, scores: Scores, name: CellName) -> float:
        """The ratio."""
        mine, own = self._means(scores, name)
        return mine / own

    def slopes(self, scores: Scores, name: CellName) -> list[float]:
        """Those of a ratio."""
        mine, own = self._means(scores, name)
        return [1 / own, -mine / own**2]

    def lack(self, scores: Scores, name: CellName) -> str:
        """Without an own set there is nothing to divide by."""
        return "" if scores.own_set(name) else f"{name.test} has no own set to divide by"

    def _means(self, scores: Scores, name: CellName) -> list[float]:
        return [scores.mean(*part) for part in self.parts(scores, name)]


@dataclass(frozen=True)
class Drop(Quantity):
    """A metric of one split less that of another."""

    metric: str
    splits: tuple[str, ...]

    def parts(self, scores: Scores, name: CellName) -> list[Part]:
        """The cell on both splits."""
        return [Part(name._replace(split=split), self.metric) for split in self.splits]

    def value(self, scores: Scores, name: CellName) -> float:
        """The difference."""
        first, second = (scores.mean(*part) for part in self.parts(scores, name))
        return first - second

    def slopes(self, scores: Scores, name: CellName) -> list[float]:
        """Plus and minus one."""
        return [1.0, -1.0]


OF_CELLS: Mapping[str, Quantity] = {
    NORMALIZED.name: OfOwnSet(DICE),
    DICE_BY_IMAGE.name: ByImage(DICE_MICRO),
    DICE_SD.name: Spread(DICE),
    DICE_DROP.name: Drop(DICE, DICE_DROP.splits),
}
"""How the derived quantities are computed."""


def of_cell(metric: str) -> Quantity:
    """The quantity of a name: a derived one, else the metric as it is."""
    return OF_CELLS.get(metric) or Plain(metric)
