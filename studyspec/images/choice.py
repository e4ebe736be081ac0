"""The images that filters choose from a catalog, with their hashes. Knows no study file."""

from __future__ import annotations

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
    return chosen, mistakes


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
