"""The scores of a study as rows, and the cells that a claim chooses among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np
from pydantic import JsonValue

from studyspec.spec.claims import Selector
from studyspec.spec.names import BASE, OTHERS, OWN
from studyspec.spec.variants import chosen_variants
from studyspec.stats.contrasts import FOREIGN, WeightedCell
from studyspec.store.rules import own_variant

Planned = tuple[str, str, str]
"""A cell by variant, training set and test set."""
Metrics = Mapping[str, float | None]
"""Scores by the name of their metric; None where one is not defined."""


class CellName(NamedTuple):
    """One cell of a study, on one split."""

    variant: str
    train: str
    test: str
    split: str = "test"

    @property
    def text(self) -> str:
        """As "Ag → Au (no-flat-field)"."""
        notes = [self.variant] * (self.variant != BASE) + [self.split] * (self.split != "test")
        return f"{self.train} → {self.test}" + (f" ({', '.join(notes)})" if notes else "")


class FoldScore(NamedTuple):
    """The scores of a fold cell; a foreign network has no fold."""

    name: CellName
    fold: int | None
    metrics: Metrics


class ImageScore(NamedTuple):
    """The scores of one image in a fold cell.

    `micrograph` is what the catalog says the image is cut from, if it says so.
    """

    name: CellName
    fold: int | None
    metrics: Metrics
    image_id: str
    n_patches: int
    micrograph: str | None = None

    @property
    def parent(self) -> str:
        """The micrograph that the image is of, which its crops share; else the image itself."""
        return self.micrograph or self.image_id


Score = TypeVar("Score", FoldScore, ImageScore)


@dataclass(frozen=True)
class Scores:
    """All scores of one study.

    Attributes
    ----------
    folds, images
        A row for each fold cell, and for each of its images.
    absent
        Why a planned cell is not complete.
    variants
        The settings that each variant changes, by dotted name.
    columns
        Numbers of each dataset, as the mean of a catalog column over its images.
    """

    folds: Sequence[FoldScore]
    images: Sequence[ImageScore]
    absent: Mapping[CellName, str] = field(default_factory=dict)
    variants: Mapping[str, Mapping[str, JsonValue]] = field(default_factory=lambda: {BASE: {}})
    columns: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @cached_property
    def by_cell(self) -> Mapping[CellName, Sequence[FoldScore]]:
        """The rows of `folds`, by cell."""
        return _by_cell(self.folds)

    @cached_property
    def images_by_cell(self) -> Mapping[CellName, Sequence[ImageScore]]:
        """The rows of `images`, by cell."""
        return _by_cell(self.images)

    @cached_property
    def known(self) -> Mapping[CellName, None]:
        """Every cell of the study, with scores or not, in order."""
        return dict.fromkeys((*self.by_cell, *self.absent))

    @cached_property
    def _planned(self) -> Mapping[str, frozenset[Planned]]:
        splits = {name.split for name in self.known}
        return {
            split: frozenset(name[:3] for name in self.known if name.split == split)
            for split in splits
        }

    def own_set(self, name: CellName) -> CellName | None:
        """The own set of a cell among those of the study; see `own_set`."""
        return own_set(name, self.planned("test"))

    def planned(self, split: str) -> frozenset[Planned]:
        """Every cell of the study that is scored on a split, or was to be."""
        return self._planned.get(split, frozenset())

    def chosen(self, selector: Selector) -> list[CellName]:
        """Every cell that a selector names, in the order of its names."""
        found: list[CellName] = []
        for variant in chosen_variants(selector.variant, self.variants):
            for train in _names(selector.train):
                found += self._tests(selector, variant, train)
        return list(dict.fromkeys(found))

    def per_fold(self, name: CellName, metric: str) -> dict[int, float]:
        """The metric of each fold that has it; of a foreign network that of fold `FOREIGN`."""
        rows = self.by_cell.get(name, ())
        return {
            fold_of(row): value for row in rows if (value := row.metrics.get(metric)) is not None
        }

    def mean(self, name: CellName, metric: str) -> float:
        """The mean over the folds, as the matrix tells it."""
        return float(np.mean(list(self.per_fold(name, metric).values())))

    def weighted(self, name: CellName, metric: str, weight: float) -> WeightedCell:
        """A cell with a row for each fold and micrograph, for a contrast."""
        rows = [
            (row, value)
            for row in self.images_by_cell.get(name, ())
            if (value := row.metrics.get(metric)) is not None
        ]
        keys = [(fold_of(row), row.parent) for row, _ in rows]
        order = sorted(set(keys))
        place = {key: i for i, key in enumerate(order)}
        at = np.array([place[key] for key in keys], dtype=np.intp)
        n = np.array([row.n_patches for row, _ in rows], dtype=np.float64)
        scores = np.array([value for _, value in rows], dtype=np.float64)
        patches = np.bincount(at, weights=n, minlength=len(order)).astype(np.float64)
        return WeightedCell(
            weight=weight,
            mean=self.mean(name, metric),
            variant=name.variant,
            train=name.train,
            micrographs=name.test,
            fold=np.array([fold for fold, _ in order], dtype=np.int64),
            micrograph=np.array([micrograph for _, micrograph in order], dtype=np.str_),
            score=np.bincount(at, weights=n * scores, minlength=len(order)) / patches,
            patches=patches,
        )

    def upto(self, networks: Mapping[str, int]) -> Scores:
        """The scores of the first networks of each variant alone, as many as given for it.

        A cell that has them all is complete, whatever is lacking of later ones.
        """

        def kept(row: FoldScore | ImageScore) -> bool:
            return row.fold is None or row.fold < networks.get(row.name.variant, row.fold + 1)

        folds = [row for row in self.folds if kept(row)]
        having = Counter(row.name for row in folds)
        absent = {
            name: why
            for name, why in self.absent.items()
            if having[name] < networks.get(name.variant, having[name] + 1)
        }
        return replace(
            self, folds=folds, images=[row for row in self.images if kept(row)], absent=absent
        )

    def beside(self, folds: Iterable[FoldScore], images: Iterable[ImageScore]) -> Scores:
        """These scores with those of other cells beside them."""
        return replace(self, folds=[*self.folds, *folds], images=[*self.images, *images])

    def _tests(self, selector: Selector, variant: str, train: str) -> Iterable[CellName]:
        for test in _names(selector.test):
            name = CellName(variant, train, train if test == OWN else test, selector.split)
            if test == OWN:
                yield own_set(name, self.planned(name.split), name.split) or name
            elif test == OTHERS:
                for one in self.known:
                    if one[:2] == name[:2] and one.split == name.split and one.test != train:
                        yield one
            else:
                yield name


def own_set(name: CellName, planned: Container[Planned], split: str = "test") -> CellName | None:
    """The own set of a cell among the planned ones, by the rule of the store."""
    variant = own_variant(planned, name.variant, name.test)
    return None if variant is None else CellName(variant, name.test, name.test, split)


def fold_of(row: FoldScore | ImageScore) -> int:
    """The fold of a row; of a foreign network `FOREIGN`."""
    return FOREIGN if row.fold is None else row.fold


def _names(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _by_cell(rows: Iterable[Score]) -> dict[CellName, list[Score]]:
    cells: dict[CellName, list[Score]] = {}
    for row in rows:
        cells.setdefault(row.name, []).append(row)
    return cells
