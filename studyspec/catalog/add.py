"""Adding: a user's own images and labels, described by a CSV, to a catalog."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from studyspec.catalog.addresses import uri_of
from studyspec.catalog.columns import NAMES
from studyspec.catalog.metadata import (
    FILES,
    OURS,
    Kind,
    Line,
    further_kinds,
    read_lines,
    typed_cell,
    unlabelled,
)
from studyspec.catalog.readers import read_image, read_label
from studyspec.catalog.row import ImageRow
from studyspec.catalog.table import changing, write_catalog
from studyspec.errors import CatalogError, FileError

SCALE_TOLERANCE = 0.05


@dataclass(frozen=True)
class Added:
    """How many images were added, replaced by other values, or there already; and notes."""

    added: int
    replaced: int
    unchanged: int
    notes: tuple[str, ...] = ()


def add(
    folder: Path, metadata: Path, catalog: Path, collection: str, replace_others: bool = False
) -> Added:
    """Make or extend a catalog file; several processes may do so at once.

    Parameters
    ----------
    folder
        Where the images and labels lie; the CSV's names are relative to it.
    metadata
        CSV with the columns `image` and `label` (and `exact_label`), any catalog column, and any
        further one, which is kept and can be filtered on.
    catalog
        Catalog file, made if it is not there.
    collection
        Collection of the new rows.
    replace_others
        Whether a new image may take the place of another one of the same name.

    Raises
    ------
    CatalogError, FileError
        Naming the line and column of the CSV; nothing is written then.
    """
    lines = read_lines(metadata)
    notes = list(unlabelled(lines))
    rows = []
    for line, (row, found) in zip(lines, _rows(folder, lines, catalog, collection), strict=True):
        rows.append((line.where, row))
        notes += found
    with changing(catalog) as known:
        merged = _Merged(known, replace_others)
        for where, row in rows:
            merged.take(row, where)
        notes += merged.notes
        write_catalog(merged.rows, catalog)
    return Added(merged.added, merged.replaced, merged.unchanged, tuple(notes))


class _Merged:
    """Rows of a catalog, and new ones among them; an image is known by collection and name."""

    def __init__(self, known: Sequence[ImageRow], replace_others: bool) -> None:
        self.rows = list(known)
        self.added = self.replaced = self.unchanged = 0
        self.notes: list[str] = []
        self._replace_others = replace_others
        self._place = {row.image_id: number for number, row in enumerate(known)}

    def take(self, row: ImageRow, where: str) -> None:
        """Add a row, or put it in place of the one of this image."""
        row = self._named(row)
        place = self._place.setdefault(row.image_id, len(self.rows))
        if place == len(self.rows):
            self.rows.append(row)
            self.added += 1
            return
        before = self.rows[place]
        if before == row:
            self.unchanged += 1
            return
        if before.image_uri != row.image_uri and not self._replace_others:
            raise CatalogError(
                f"'{row.image_id}' is another image already: {before.image_uri}",
                where=where,
                hint="rename the folder, or name another --collection; --replace puts the new one "
                "in its place",
            )
        self.rows[place] = row
        self.replaced += 1
        self.notes.append(f"{row.image_id} is replaced: its values differ")

    def _named(self, row: ImageRow) -> ImageRow:
        """The row; under its collection too, if another collection has an image of this name."""
        place = self._place.get(row.image_id)
        if place is None or self.rows[place].collection == row.collection:
            return row
        return replace(row, image_id=f"{row.collection}/{row.image_id}")


def _rows(
    folder: Path, lines: Sequence[Line], catalog: Path, collection: str
) -> Iterator[tuple[ImageRow, list[str]]]:
    if not folder.is_dir():
        raise CatalogError("no such folder", where=str(folder), hint="name the folder of images")
    further = further_kinds(lines)
    seen: set[str] = set()
    for line in lines:
        row, notes = _row(folder, catalog, collection, line, further)
        if row.image_id in seen:
            what = f"image '{line.cells['image']}' stands here twice"
            raise CatalogError(what, where=line.where)
        seen.add(row.image_id)
        yield row, notes


def _row(
    folder: Path,
    catalog: Path,
    collection: str,
    line: Line,
    further: Mapping[str, Kind],
) -> tuple[ImageRow, list[str]]:
    cells, where = line.cells, line.where
    typed = {
        name: typed_cell(name, text, where)
        for name, text in cells.items()
        if name in NAMES and name not in OURS
    }
    own = {name: kind(cells[name]) if cells[name] else None for name, kind in further.items()}
    paths = {name: _existing(folder, cells.get(name, ""), name, where) for name in FILES}
    image_path = paths["image"]
    if image_path is None:
        raise CatalogError("the image is not named", where=f"{where}, column 'image'")
    image = read_image(image_path)
    height, width = image.pixels.shape
    if paths["label"] is not None and read_label(paths["label"]).shape != (height, width):
        raise FileError(
            f"the label is not {width} x {height} pixels as its image is",
            where=f"{where}, column 'label'",
        )
    uris = {FILES[name]: uri_of(path, catalog) for name, path in paths.items() if path is not None}
    named = {"image_id": f"{folder.absolute().name}/{cells['image']}", "collection": collection}
    sizes = {"width_px": width, "height_px": height}
    row = ImageRow.from_json({**own, **typed, **named, **uris, **sizes})
    return _scaled(row, image.pixel_scale_nm)


def _scaled(row: ImageRow, header_nm: float | None) -> tuple[ImageRow, list[str]]:
    """The row with the header's pixel scale if it has none; a note if the two disagree."""
    if row.pixel_scale_nm is None:
        return replace(row, pixel_scale_nm=header_nm), []
    if header_nm is None or abs(header_nm / row.pixel_scale_nm - 1) <= SCALE_TOLERANCE:
        return row, []
    says = f"the header says {header_nm:.4g} nm per pixel, the CSV {row.pixel_scale_nm:.4g}"
    return row, [f"{row.image_id}: {says}"]


def _existing(folder: Path, name: str, column: str, where: str) -> Path | None:
    if not name:
        return None
    path = folder / name
    try:
        there = path.is_file()
    except OSError as error:
        raise CatalogError(
            f"'{name[:40]}' is no name of a file: {error.strerror}",
            where=f"{where}, column '{column}'",
        ) from None
    if not there:
        near = get_close_matches(name, [p.name for p in folder.iterdir()], n=1)
        raise CatalogError(
            f"no file '{name}' in {folder}",
            where=f"{where}, column '{column}'",
            hint=f"did you mean '{near[0]}'?" if near else "",
        )
    return path
