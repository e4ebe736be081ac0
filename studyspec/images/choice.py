"""The images that filters choose from a catalog, with their hashes. Knows no study file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from studyspec.catalog.row import ImageRow
from studyspec.catalog.table import Catalog, FilterProblem
from studyspec.errors import FileError, Mistake, Unfetched
from studyspec.images.door import Door, Identity
from studyspec.spec.filters import DatasetFilter

Named = tuple[ImageRow, Identity | None]


def select(
    filters: Mapping[str, DatasetFilter], collection: str, catalog: Catalog
) -> tuple[dict[str, tuple[ImageRow, ...]], list[Mistake]]:
    """The rows of every dataset in catalog order, and what is wrong with the filters.

    `collection` is for filters that name none themselves.
    """
    chosen: dict[str, tuple[ImageRow, ...]] = {}
    mistakes: list[Mistake] = []
    for name, wanted in filters.items():
        where = wanted.collection or collection
        try:
            chosen[name] = catalog.select(wanted, where)
        except FilterProblem as error:
            of_study = error.column == "collection" and wanted.collection is None
            place = ("catalog",) if of_study else ("datasets", name)
            at_key = error.what.startswith("unknown column")
            mistakes.append(Mistake((*place, error.column), error.what, error.hint, at_key))
            continue
        if not chosen[name]:
            what = f"dataset '{name}' matches no image of '{where}'"
            mistakes.append(Mistake(("datasets", name), what, catalog.blame(wanted, where)))
        elif wanted.take is not None:
            rows = chosen[name]
            mistakes += too_few(name, wanted.take, len(rows), ("datasets", name, "take"))
            drawn = draw([row.image_id for row in rows], wanted.take, wanted.take_seed)
            chosen[name] = tuple(rows[i] for i in drawn)
    return chosen, mistakes


def draw(image_ids: Sequence[str], n: int, seed: int) -> tuple[int, ...]:
    """The positions of n of these images, drawn by seed; their order is kept.

    Each image has a random number, made of the seed and its name alone, and the lowest n are drawn.
    So the same images are drawn from every list, a smaller draw is part of a larger one, and an
    image that joins the catalog takes the place of one other at most.
    """

    def number(position: int) -> bytes:
        return hashlib.sha256(f"{seed} {image_ids[position]}".encode()).digest()

    return tuple(sorted(sorted(range(len(image_ids)), key=number)[:n]))


def too_few(name: str, n: int, there: int, path: tuple[str | int, ...]) -> list[Mistake]:
    """The mistake of drawing more images of a dataset than there are, if it is one."""
    if n <= there:
        return []
    what = f"{n} images cannot be drawn of '{name}', which has {there}"
    return [Mistake(path, what, "draw fewer, or widen its filter")]


def identify(
    name: str, wanted: DatasetFilter, rows: Sequence[ImageRow], door: Door
) -> tuple[list[Named], list[Mistake]]:
    """The hashes of a dataset's images, None where a file is not fetched; and missing files."""
    found: list[Named] = []
    mistakes: list[Mistake] = []
    for row in rows:
        try:
            found.append((row, door.identity(row, wanted.label)))
        except Unfetched:
            found.append((row, None))
        except FileError as error:
            mistakes.append(Mistake(("datasets", name), error.text))
    return found, mistakes
