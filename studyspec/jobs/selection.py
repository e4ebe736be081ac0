"""Selection: which patches of which image a task uses. Knows positions in images, not pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from studyspec.catalog.row import Cell
from studyspec.errors import RunError, StudySpecError
from studyspec.images.patches import Patches
from studyspec.plugins.contracts import Augmentation
from studyspec.plugins.guard import blamed
from studyspec.plugins.registry import AUGMENTATIONS
from studyspec.plugins.settings import Settings
from studyspec.spec.uses import Bound

Positions = npt.NDArray[np.int64]
Place = tuple[str, int, int]
"""Where a patch was cut: the image's hash, row and column of the grid."""


def gather(
    images: Sequence[Patches], positions: Positions
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """The chosen patches and labels in the order of `positions`, copied into memory.

    Returns
    -------
    images : float32 (n, P, P)
    labels : uint8 (n, P, P)
    """
    starts = np.cumsum([0, *(len(image.rows) for image in images)])
    size = images[0].images.shape[1:] if images else (0, 0)
    pixels = np.empty((len(positions), *size), np.float32)
    labels = np.empty((len(positions), *size), np.uint8)
    owner = np.searchsorted(starts, positions, side="right") - 1
    for i in np.unique(owner):
        mine = owner == i
        pixels[mine] = images[i].images[positions[mine] - starts[i]]
        labels[mine] = images[i].labels[positions[mine] - starts[i]]
    return pixels, labels


def around(images: Sequence[Patches], positions: Positions) -> Positions:
    """For each chosen patch those around it in its image that are chosen too; (n, 3, 3).

    The numbers count in `positions`; -1 where there is none.
    """
    places = [
        (i, int(row), int(col))
        for i, image in enumerate(images)
        for row, col in zip(image.rows, image.cols, strict=True)
    ]
    known = {places[position]: number for number, position in enumerate(positions)}
    found = np.full((len(positions), 3, 3), -1, np.int64)
    for (image, row, col), number in known.items():
        for down, right in np.ndindex(3, 3):
            found[number, down, right] = known.get((image, row + down - 1, col + right - 1), -1)
    return found


def known_values(
    images: Sequence[Patches],
    names: Sequence[str],
    columns: Mapping[str, Sequence[Cell]],
    augmentations: Sequence[Bound[Augmentation[Settings]]],
) -> dict[str, npt.NDArray[np.float32]]:
    """What augmentations find of every patch, by name, each (n,).

    Parameters
    ----------
    images
        The prepared images.
    names
        What to call them where something is wrong with one.
    columns
        For each catalog column the values of these images.
    augmentations
        What they are for.

    Raises
    ------
    RunError
        If an augmentation does not find in an image what it needs.
    PluginError
        If it fails otherwise.
    """
    told: list[dict[str, float]] = []
    for i, (image, name) in enumerate(zip(images, names, strict=True)):
        cells = {column: values[i] for column, values in columns.items()}
        told.append(_values(image, name, cells, augmentations))
    counts = [len(image.rows) for image in images]
    return {
        name: np.repeat(np.array([one[name] for one in told], np.float32), counts)
        for name in (told[0] if told else ())
    }


def _values(
    image: Patches,
    name: str,
    cells: Mapping[str, Cell],
    augmentations: Sequence[Bound[Augmentation[Settings]]],
) -> dict[str, float]:
    """What augmentations find of one image."""
    found: dict[str, float] = {}
    for one in augmentations:
        with blamed(AUGMENTATIONS.kind, one.found):
            try:
                found |= one.plugin.values(one.settings, cells, image.facts)
            except StudySpecError as error:
                raise RunError(error.what, where=error.where or name, hint=error.hint) from None
    return found


def places(images: Sequence[Patches], hashes: Sequence[str]) -> list[Place]:
    """The place of every patch of the images, one after the other."""
    return [
        (sha, int(row), int(col))
        for image, sha in zip(images, hashes, strict=True)
        for row, col in zip(image.rows, image.cols, strict=True)
    ]


@dataclass(frozen=True)
class Part:
    """A part of a training set, and the rest of it, by place; `size` is the patches' edge [px]."""

    part: frozenset[Place]
    rest: frozenset[Place]
    size: int

    def holds(self, place: Place, size: int) -> bool:
        """Whether a patch of an edge lies where this part does, and touches nothing of the rest."""
        sha, row, col = place
        touched = {(sha, r, c) for r in self._over(row, size) for c in self._over(col, size)}
        return not touched.isdisjoint(self.part) and touched.isdisjoint(self.rest)

    def _over(self, number: int, size: int) -> range:
        """The rows (or columns) of patches of this part that one of another edge lies over."""
        return range(number * size // self.size, -(-(number + 1) * size // self.size))


def at(image: Patches, sha: str, parts: Sequence[Part]) -> Positions:
    """Positions of the image's patches that every one of the parts holds."""
    size = image.images.shape[-1]
    inside = [all(p.holds(place, size) for p in parts) for place in places([image], [sha])]
    return np.flatnonzero(inside)
