"""The scores of a study as rows, and the cells that a claim chooses among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from studyspec.spec.claims import Selector
from studyspec.stats.contrasts import GIVEN, Cell

Row = Mapping[str, Any]
BASE = "base"


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


@dataclass(frozen=True)
class Scores:
    """All scores of one study.

    Attributes
    ----------
    folds
        A row for each network and test set: variant, train, test, split, fold and every metric.
    images
        The same for each image: also image_id, n_patches and, where the catalog has it, micrograph
        (which crops of one micrograph share).
    absent
        Why a planned cell is not complete.
    variants
        The settings that each variant changes, by dotted name.
    columns
        Numbers of each dataset, as the mean of a catalog column over its images.
    """

    folds: Sequence[Row]
    images: Sequence[Row]
    absent: Mapping[CellName, str] = field(default_factory=dict)
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {BASE: {}})
    columns: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @cached_property
    def by_cell(self) -> Mapping[CellName, Sequence[Row]]:
        """The rows of `folds`, by cell."""
        return _by_cell(self.folds)

    @cached_property
    def images_by_cell(self) -> Mapping[CellName, Sequence[Row]]:
        """The rows of `images`, by cell."""
        return _by_cell(self.images)

    @cached_property
    def known(self) -> Sequence[CellName]:
        """Every cell of the study, with scores or not."""
        return tuple(dict.fromkeys((*self.by_cell, *self.absent)))

    def own_set(self, name: CellName) -> CellName | None:
        """The cell (test, test) of the same variant, else of base, else none."""
        for variant in (name.variant, BASE):
            own = CellName(variant, name.test, name.test)
            if own in self.known:
                return own
        return None

    def chosen(self, selector: Selector) -> list[CellName]:
        """Every cell that a selector names, in the order of its names."""
        found: list[CellName] = []
        for variant in self._variants(selector):
            for train in _names(selector.train):
                found += self._tests(selector, variant, train)
        return list(dict.fromkeys(found))

    def per_fold(self, name: CellName, metric: str) -> dict[int, float]:
        """The metric of each fold that has it; of a network of others that of fold `GIVEN`."""
        rows = self.by_cell.get(name, ())
        return {_fold(row): float(row[metric]) for row in rows if row.get(metric) is not None}

    def mean(self, name: CellName, metric: str) -> float:
        """The mean over the folds, as the matrix tells it."""
        return float(np.mean(list(self.per_fold(name, metric).values())))

    def cell(self, name: CellName, metric: str, weight: float) -> Cell:
        """The cell with its rows by image, for a contrast."""
        rows = [row for row in self.images_by_cell.get(name, ()) if row.get(metric) is not None]
        return Cell(
            weight=weight,
            mean=self.mean(name, metric),
            networks=(name.variant, name.train),
            micrographs=name.test,
            fold=np.array([_fold(row) for row in rows], dtype=np.int64),
            micrograph=np.array([micrograph(row) for row in rows], dtype=np.str_),
            score=np.array([row[metric] for row in rows], dtype=np.float64),
            patches=np.array([row["n_patches"] for row in rows], dtype=np.float64),
        )

    def _variants(self, selector: Selector) -> list[str]:
        """Variants by their name, or all points of a sweep by the name before the bracket."""
        asked = _names(selector.variant)
        return [v for v in self.variants if v in asked or v.partition("[")[0] in asked]

    def _tests(self, selector: Selector, variant: str, train: str) -> Iterable[CellName]:
        for test in _names(selector.test):
            if test == "own":
                own = CellName(variant, train, train, selector.split)
                yield own if own in self.known else own._replace(variant=BASE)
            elif test == "others":
                for name in self.known:
                    if (name.variant, name.train, name.split) == (variant, train, selector.split):
                        yield from [name] * (name.test != train)
            else:
                yield CellName(variant, train, test, selector.split)


def micrograph(row: Row) -> str:
    """The micrograph that an image is of: the catalog's column of that name, else the image."""
    return str(row.get("micrograph") or row["image_id"])


def _fold(row: Row) -> int:
    return GIVEN if row["fold"] is None else int(row["fold"])


def _names(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _by_cell(rows: Iterable[Row]) -> dict[CellName, list[Row]]:
    cells: dict[CellName, list[Row]] = {}
    for row in rows:
        name = CellName(row["variant"], row["train"], row["test"], row.get("split", "test"))
        cells.setdefault(name, []).append(row)
    return cells
