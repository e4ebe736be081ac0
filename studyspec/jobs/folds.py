"""Folds: which patches of a dataset train, validate and test. Knows positions, not pixels.

The rule is that of the published notebooks (Sytwu et al. 2023): the images are shuffled, their
units (patches, or whole images) are cut into consecutive parts, and the validation units are a run
of the rest that starts where the fold's test part would have been.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from studyspec.errors import StudySpecError
from studyspec.spec.sections import CrossValidationSettings
from studyspec.spec.uses import Written

Positions = npt.NDArray[np.int64]


class Folding(Written):
    """How patches become folds in one repeat: `CrossValidationSettings` without training seeds."""

    folds: int = 5
    unit: Literal["patch", "image"] = "patch"
    shuffle_seed: int = 34522
    validation_percent: float = 12.5

    @classmethod
    def of(cls, settings: CrossValidationSettings, repeat: int = 0) -> Folding:
        """What the table `[cross_validation]` says of a repeat."""
        told = {name: getattr(settings, name) for name in cls.model_fields}
        return cls(**told | {"shuffle_seed": settings.shuffle_seed + repeat})


@dataclass(frozen=True)
class FoldSplit:
    """Positions in the list of a dataset's patches (images in catalog row order); disjoint."""

    train: Positions
    validation: Positions
    test: Positions

    def part(self, split: str) -> Positions:
        """The positions of the split of this name."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return parts[split]


def shuffled(n: int, seed: int) -> Positions:
    """The order of n images: numpy's legacy RandomState(seed).shuffle of arange(n)."""
    order = np.arange(n)
    np.random.RandomState(seed).shuffle(order)
    return order


def split_units(n: int, fold: int, settings: Folding) -> FoldSplit:
    """Divide n units in their shuffled order; at least one unit validates.

    Raises
    ------
    StudySpecError
        If there are fewer units than folds, or none would be left to train on.
    """
    folds = settings.folds
    if n < folds:
        unit = "es" if settings.unit == "patch" else "s"
        raise StudySpecError(
            f"{n} {settings.unit}{unit if n != 1 else ''} cannot make {folds} folds",
            hint="name more images, smaller patches (preprocess.patch.size) or fewer "
            "cross_validation.folds",
        )
    part, extra = divmod(n, folds)
    start = fold * part + min(fold, extra)
    stop = start + part + (fold < extra)
    units = np.arange(n)
    rest = np.concatenate([units[:start], units[stop:]])
    wanted = max(1, int(settings.validation_percent * len(rest) // 100))
    if fold == folds - 1:
        first, last = max(0, fold * part - wanted), len(rest)
    else:
        first = min(fold * part, len(rest) - wanted)
        last = first + wanted
    train = np.concatenate([rest[:first], rest[last:]])
    if len(train) == 0:
        raise StudySpecError(
            f"fold {fold} of {folds} has no {settings.unit} left to train on: "
            f"{len(rest)} of {n} validate",
            hint="name more images or lower cross_validation.validation_percent",
        )
    return FoldSplit(train, rest[first:last], units[start:stop])


def fold_split(
    counts: Sequence[int], fold: int, settings: Folding, leaders: Sequence[int] = ()
) -> FoldSplit:
    """Divide the patches of one dataset.

    Parameters
    ----------
    counts
        Patches of each image, in catalog row order.
    fold
        Number of the fold, from 0.
    settings
        Unit, number of folds, validation share and shuffle seed.
    leaders
        For each image the first one of the same bytes, if any two are the same: where whole images
        are the unit, these go together.

    Returns
    -------
    FoldSplit
        Positions in the concatenation of all images' patches in catalog row order, each part in the
        published (shuffled) order.
    """
    starts = np.concatenate([[0], np.cumsum(counts)])
    order = shuffled(len(counts), settings.shuffle_seed)
    if settings.unit == "image":
        order = order[np.asarray(counts, np.int64)[order] > 0]
    runs = [np.arange(starts[i], starts[i + 1]) for i in order]
    if leaders and settings.unit == "image":
        together: dict[int, list[Positions]] = {}
        for i, run in zip(order, runs, strict=True):
            together.setdefault(leaders[i], []).append(run)
        runs = [np.concatenate(parts) for parts in together.values()]
    if settings.unit == "patch":
        patches = np.concatenate([np.empty(0, np.int64), *runs])
        split = split_units(len(patches), fold, settings)
        return FoldSplit(patches[split.train], patches[split.validation], patches[split.test])

    split = split_units(len(runs), fold, settings)

    def patches_of(images: Positions) -> Positions:
        return np.concatenate([np.empty(0, np.int64), *(runs[i] for i in images)])

    return FoldSplit(patches_of(split.train), patches_of(split.validation), patches_of(split.test))


def without_doubles(split: FoldSplit, places: Sequence[Hashable]) -> FoldSplit:
    """A split that trains and validates on no place that it tests, and trains on none it validates.

    `places` says of every position where its patch was cut from which image: an image that stands
    in a dataset twice has each of its places twice.
    """
    tested = {places[i] for i in split.test}
    validated = {places[i] for i in split.validation} - tested

    def left(positions: Positions, taken: set[Hashable]) -> Positions:
        return np.array([i for i in positions if places[i] not in taken], np.int64)

    validation = left(split.validation, tested)
    return FoldSplit(left(split.train, tested | validated), validation, split.test)


def union_split(splits: Sequence[FoldSplit], sizes: Sequence[int]) -> FoldSplit:
    """Fold i of a union: the folds i of its members, whose patches follow one another.

    `sizes` are the numbers of patches of the members.
    """
    offsets = np.concatenate([[0], np.cumsum(sizes)])[:-1]

    def joined(parts: Sequence[Positions]) -> Positions:
        return np.concatenate([part + offset for part, offset in zip(parts, offsets, strict=True)])

    return FoldSplit(
        joined([s.train for s in splits]),
        joined([s.validation for s in splits]),
        joined([s.test for s in splits]),
    )
