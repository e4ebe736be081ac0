"""The images of a test: a folder of one's own, a dataset of a study, a collection of a catalog."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from studyspec.api import catalog as catalogs
from studyspec.catalog.labelled import find_labelled
from studyspec.catalog.metadata import read_lines, unlabelled
from studyspec.catalog.row import ImageRow
from studyspec.catalog.table import Catalog, write_catalog
from studyspec.errors import CatalogError, RunError
from studyspec.files import write
from studyspec.images.choice import select
from studyspec.spec.filters import DatasetFilter
from studyspec.spec.loading import load
from studyspec.store.folder import Results

COLLECTION = "tested"
LABELLED = "label_uri is not null"
MOST = 1000
"""Folders of one name."""


@dataclass(frozen=True)
class TestImages:
    """The images of a test.

    Attributes
    ----------
    name
        What they are called, in file names too.
    catalog, filter, rows
        Where their catalog is, and which rows of it they are.
    left_out
        Images that are not scored, and why; and notes on others.
    """

    __test__ = False

    name: str
    catalog: Path
    filter: DatasetFilter
    rows: tuple[ImageRow, ...]
    left_out: tuple[str, ...] = ()


def test_images(on: str, results: Results, scale_nm: float | None) -> TestImages:
    """The images that are meant; a catalog of a folder is made among the results.

    Parameters
    ----------
    on
        A folder, or STUDY.toml:DATASET, or CATALOG.parquet:COLLECTION.
    results
        Where the test is kept.
    scale_nm
        Edge of a pixel [nm]; None: as each image says.

    Raises
    ------
    CatalogError, FileError
        If there are no such images, or none has a label.
    """
    path, _, part = on.rpartition(":")
    if not Path(on).is_dir() and part and Path(path).suffix in (".toml", ".parquet"):
        reader = _of_study if path.endswith(".toml") else _of_catalog
        return reader(_file_name(f"{Path(path).stem}-{part}"), Path(path), part)
    name = _named(Path(on), results)
    return _of_folder(name, Path(on), results.tests / name, scale_nm)


def _of_folder(name: str, folder: Path, work: Path, scale_nm: float | None) -> TestImages:
    """A catalog of a user's folder, made anew."""
    found = find_labelled(folder, work)
    write(work / "of", f"{folder.absolute()}\n", durable=False)
    path = work / "catalog.parquet"
    path.unlink(missing_ok=True)
    added = catalogs.add(found.folder, found.metadata, path, COLLECTION)
    rows = Catalog.open(path).rows
    if scale_nm is not None:
        rows = tuple(replace(row, pixel_scale_nm=scale_nm) for row in rows)
        write_catalog(list(rows), path)
    bare = [row.image_id for row in rows if row.label_uri is None]
    left_out = tuple(f"{one}: no label" for one in (*found.unlabelled, *bare))
    labelled = tuple(row for row in rows if row.label_uri is not None)
    if not labelled:
        raise CatalogError("no image has a label", where=str(folder), hint="name labels in the CSV")
    wanted = DatasetFilter.model_validate({"collection": COLLECTION, "sql": LABELLED})
    named = unlabelled(read_lines(found.metadata))  # said of each image above
    further = [note for note in added.notes if note not in named]
    return TestImages(name, path, wanted, labelled, (*left_out, *further))


def _of_study(name: str, path: Path, dataset: str) -> TestImages:
    """A dataset of a study file."""
    loaded = load(path)
    known = loaded.study.datasets
    if dataset not in known:
        hint = f"there are {', '.join(known)}"
        raise CatalogError(f"no dataset '{dataset}'", where=str(path), hint=hint)
    collection = known[dataset].collection or loaded.study.catalog.collection
    wanted = known[dataset].model_copy(update={"collection": collection})
    return _chosen(name, loaded.root / loaded.study.catalog.path, wanted)


def _of_catalog(name: str, path: Path, collection: str) -> TestImages:
    """A collection of a catalog file."""
    Catalog.open(path).rows_of(collection)
    return _chosen(name, path, DatasetFilter.model_validate({"collection": collection}))


def _chosen(name: str, path: Path, wanted: DatasetFilter) -> TestImages:
    catalog = Catalog.open(path)
    rows, mistakes = select({"images": wanted}, wanted.collection or "", catalog)
    if mistakes:
        raise CatalogError(mistakes[0].what, where=str(path), hint=mistakes[0].hint)
    return TestImages(name, path.absolute(), wanted, rows["images"])


def _file_name(name: str) -> str:
    kept = "".join(c if c.isalnum() or c in "._-" else "-" for c in name).strip(".-")
    return kept or "images"


def _named(folder: Path, results: Results) -> str:
    """What a folder is called: another one of the same name has a number."""
    wanted = _file_name(folder.absolute().name)
    for name in _numbered(wanted):
        note = results.tests / name / "of"
        if not note.exists() or note.read_text().strip() == str(folder.absolute()):
            return name
    raise RunError("no name is left")


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}-{i}" for i in range(2, MOST))
