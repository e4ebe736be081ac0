"""Adding: a user's own images and labels, described by a CSV, to a catalog."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from pathlib import Path

from studyspec.catalog.addresses import uri_of
from studyspec.catalog.columns import BY_NAME, NAMES
from studyspec.catalog.readers import read_image, read_label
from studyspec.catalog.row import ImageRow
from studyspec.catalog.table import Catalog, write_catalog
from studyspec.errors import CatalogError, FileError
from studyspec.plugins.values import Value

FILES = {"image": "image_uri", "label": "label_uri", "exact_label": "exact_label_uri"}
OURS = frozenset({"image_id", "collection", "image_sha256", "label_sha256", *FILES.values()})
SCALE_TOLERANCE = 0.05
SEPARATORS = ",;\t"
DECIMAL = re.compile(r"[+-]?\d*,\d+")
PACKED = b"\x1f\x8b"
Kind = Callable[[str], int | float | str]


@dataclass(frozen=True)
class Added:
    """How many images were added, replaced by other values, or there already; and notes."""

    added: int
    replaced: int
    unchanged: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """A line of the CSV: its place, and its cells by column."""

    where: str
    cells: Mapping[str, str]


def add(folder: Path, metadata: Path, catalog: Path, collection: str) -> Added:
    """Make or extend a catalog file.

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

    Raises
    ------
    CatalogError, FileError
        Naming the line and column of the CSV; nothing is written then.
    """
    known = list(Catalog.open(catalog).rows) if catalog.exists() else []
    place = {row.image_id: number for number, row in enumerate(known)}
    count = {"added": 0, "replaced": 0, "unchanged": 0}
    notes: list[str] = []
    for row, found in _rows(folder, metadata, catalog, collection):
        notes += found
        if row.image_id not in place:
            place[row.image_id] = len(known)
            known.append(row)
            count["added"] += 1
        elif known[place[row.image_id]] == row:
            count["unchanged"] += 1
        else:
            known[place[row.image_id]] = row
            count["replaced"] += 1
            notes.append(f"{row.image_id} is replaced: its values differ")
    catalog.parent.mkdir(parents=True, exist_ok=True)
    write_catalog(known, catalog)
    return Added(**count, notes=tuple(notes))


def metadata_rows(metadata: Path) -> dict[str, dict[str, Value]]:
    """What a CSV says of images, by its column `image`; the columns that every catalog has.

    Raises
    ------
    CatalogError
        Naming the line and column.
    """
    found = {}
    for line in _lines(metadata):
        told = {name: text for name, text in line.cells.items() if name in BY_NAME and text}
        values = {name: _typed(name, text, line.where) for name, text in told.items()}
        found[line.cells["image"]] = values
    return found


def _rows(
    folder: Path, metadata: Path, catalog: Path, collection: str
) -> Iterator[tuple[ImageRow, list[str]]]:
    if not folder.is_dir():
        raise CatalogError("no such folder", where=str(folder), hint="name the folder of images")
    lines = _lines(metadata)
    further = _further_kinds(lines)
    seen: set[str] = set()
    for line in lines:
        row, notes = _row(folder, catalog, collection, line, further)
        if row.image_id in seen:
            what = f"image '{line.cells['image']}' stands here twice"
            raise CatalogError(what, where=line.where)
        seen.add(row.image_id)
        yield row, notes


def _lines(metadata: Path) -> list[Line]:
    """The lines of the CSV, each with a cell for every name of the header."""
    text = _text(metadata)
    separator = _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        rows = [(f"{metadata}:{reader.line_num}", cells) for cells in reader if any(cells)]
    except csv.Error as error:
        where = f"{metadata}:{reader.line_num}"
        raise CatalogError(f"no CSV: {error}", where=where, hint="save it as CSV") from None
    names = [name.strip() for name in rows[0][1]] if rows else []
    _check_header(f"{metadata}:1", names, len(rows) - 1)
    for where, cells in rows[1:]:
        if len(cells) != len(names):
            what = "the line has another number of cells than the header"
            raise CatalogError(what, where=where)
    return [
        Line(where, {n: _cell(n, cell, separator) for n, cell in zip(names, cells, strict=True)})
        for where, cells in rows[1:]
    ]


def _cell(name: str, text: str, separator: str) -> str:
    """The text of a cell; where commas separate nothing, one within a number is its point."""
    text = text.strip()
    if separator != "," and name not in FILES and DECIMAL.fullmatch(text):
        return text.replace(",", ".")
    return text


def _text(metadata: Path) -> str:
    """The text of a CSV, in UTF-8 or else in Latin-1 as old spreadsheets write; may be packed."""
    try:
        data = metadata.read_bytes()
        data = gzip.decompress(data) if data.startswith(PACKED) else data
    except (OSError, EOFError) as error:
        said = getattr(error, "strerror", None) or error
        raise CatalogError(
            f"cannot be read: {said}", where=str(metadata), hint="name a CSV file"
        ) from None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _separator(text: str) -> str:
    """What stands most often in the header; a comma, if nothing does."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(SEPARATORS, key=header.count)


def _check_header(where: str, names: Sequence[str], lines: int) -> None:
    if lines < 1:
        raise CatalogError("no images listed", where=where, hint="one line for each image")
    if "image" not in names:
        close = get_close_matches("image", names, n=1)
        hint = f"is it '{close[0]}'?" if close else "it names the image files"
        raise CatalogError("no column 'image'", where=where, hint=hint)
    for name in names:
        if name in OURS:
            raise CatalogError(
                f"column '{name}' is set by studyspec", where=where, hint="rename it"
            )


def _row(
    folder: Path,
    catalog: Path,
    collection: str,
    line: Line,
    further: Mapping[str, Kind],
) -> tuple[ImageRow, list[str]]:
    cells, where = line.cells, line.where
    typed = {
        name: _typed(name, text, where)
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


def _typed(name: str, text: str, where: str) -> Value:
    """A cell of a catalog column as that column's type; empty is unknown."""
    if not text:
        return None
    kind = BY_NAME[name].kind
    try:
        if kind == "DOUBLE":
            return float(text)
        if kind == "INTEGER":
            return int(text)
        if kind == "DATE":
            return date.fromisoformat(text)
    except ValueError:
        wanted = {"DOUBLE": "a number", "INTEGER": "a whole number"}.get(kind, "a date, 2021-08-26")
        raise CatalogError(
            f"'{text}' is not {wanted}", where=f"{where}, column '{name}'", hint="mend the CSV"
        ) from None
    return text


def _further_kinds(lines: Sequence[Line]) -> dict[str, Kind]:
    """The user's own columns: whole numbers, numbers or text, as all their cells allow."""
    names = [name for name in lines[0].cells if name not in NAMES and name not in FILES]
    return {name: _kind([line.cells[name] for line in lines]) for name in names if name}


def _kind(cells: Sequence[str]) -> Kind:
    for kind in (int, float):
        try:
            for cell in cells:
                kind(cell or "0")
        except ValueError:
            continue
        return kind
    return str


def _existing(folder: Path, name: str, column: str, where: str) -> Path | None:
    if not name:
        return None
    path = folder / name
    if not path.is_file():
        near = get_close_matches(name, [p.name for p in folder.iterdir()], n=1)
        raise CatalogError(
            f"no file '{name}' in {folder}",
            where=f"{where}, column '{column}'",
            hint=f"did you mean '{near[0]}'?" if near else "",
        )
    return path
