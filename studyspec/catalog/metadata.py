"""Metadata: the CSV that describes a user's images, as lines of named cells and typed values.

What could be taken for something else (an odd header, `1_000`, another encoding) is refused.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path

from studyspec.catalog.columns import BY_NAME, NAMES
from studyspec.errors import CatalogError
from studyspec.plugins.values import Value

FILES: Mapping[str, str] = {
    "image": "image_uri",
    "label": "label_uri",
    "exact_label": "exact_label_uri",
}
"""The columns that name files, and the catalog's columns of their addresses."""
OURS = frozenset({"image_id", "collection", "image_sha256", "label_sha256", *FILES.values()})
KNOWN = (*FILES, *(name for name in NAMES if name not in OURS))
SEPARATORS = ",;\t"
PACKED = b"\x1f\x8b"
DECIMAL = re.compile(r"[+-]?\d*,\d+")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
PADDED = re.compile(r"[+-]?0\d", re.ASCII)
"""Begins what looks like a number and is a name, as 007."""
INTEGER = range(-(2**31), 2**31)
BIGINT = range(-(2**63), 2**63)
SAVE_AS = "save it as UTF-8 (in Excel: CSV UTF-8)"
LARGEST = 1 << 28
"""A longer CSV is another file [bytes]."""
Kind = Callable[[str], int | float | str]


@dataclass(frozen=True)
class Line:
    """A line of the CSV: its place, and its cells by column."""

    where: str
    cells: Mapping[str, str]


def read_lines(metadata: Path) -> list[Line]:
    """The lines of the CSV, each with a cell for every name of the header.

    Raises
    ------
    CatalogError
        Naming the line, if it is no such CSV.
    """
    text = _text(metadata)
    separator = _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=False)
    try:
        rows = [(f"{metadata}:{reader.line_num}", cells) for cells in reader if any(cells)]
    except csv.Error as error:
        where = f"{metadata}:{reader.line_num}"
        raise CatalogError(f"no CSV: {error}", where=where, hint=SAVE_AS) from None
    names = [name.strip() for name in rows[0][1]] if rows else []
    _check_header(f"{metadata}:1", names, len(rows) - 1)
    for where, cells in rows[1:]:
        if len(cells) != len(names):
            what = "the line has another number of cells than the header"
            raise CatalogError(what, where=where)
        if any(not name and cell.strip() for name, cell in zip(names, cells, strict=True)):
            raise CatalogError("a cell in a column without a name", where=where)

    def named(cells: Sequence[str]) -> dict[str, str]:
        pairs = zip(names, cells, strict=True)
        return {name: _cell(name, cell, separator) for name, cell in pairs if name}

    return [Line(where, named(cells)) for where, cells in rows[1:]]


def typed_cell(name: str, text: str, where: str) -> Value:
    """A cell of a catalog column as that column's type; empty is unknown.

    Raises
    ------
    CatalogError
        If it is none.
    """
    if not text:
        return None
    kind = BY_NAME[name].kind
    if kind == "DOUBLE" and _is_number(text):
        return float(text)
    if kind == "INTEGER" and WHOLE.fullmatch(text) and int(text) in INTEGER:
        return int(text)
    if kind == "DATE":
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    if kind not in ("DOUBLE", "INTEGER", "DATE"):
        return text
    wanted = {"DOUBLE": "a number, as 0.02", "INTEGER": "a whole number"}
    raise CatalogError(
        f"'{text}' is not {wanted.get(kind, 'a date, 2021-08-26')}",
        where=f"{where}, column '{name}'",
        hint="mend the CSV",
    )


def further_kinds(lines: Sequence[Line]) -> dict[str, Kind]:
    """The user's own columns: whole numbers, numbers or text, as all their cells allow."""
    names = [name for name in lines[0].cells if name not in NAMES and name not in FILES]
    return {name: _kind([line.cells[name] for line in lines]) for name in names}


def metadata_rows(metadata: Path) -> dict[str, dict[str, Value]]:
    """What a CSV says of images, by its column `image`; the columns that every catalog has.

    Raises
    ------
    CatalogError
        Naming the line and column.
    """
    found = {}
    for line in read_lines(metadata):
        told = {name: text for name, text in line.cells.items() if name in BY_NAME and text}
        values = {name: typed_cell(name, text, line.where) for name, text in told.items()}
        found[line.cells["image"]] = values
    return found


def _cell(name: str, text: str, separator: str) -> str:
    """The text of a cell; where commas separate nothing, one within a number is its point."""
    text = text.strip()
    if separator != "," and name not in FILES and DECIMAL.fullmatch(text):
        return text.replace(",", ".")
    return text


def _text(metadata: Path) -> str:
    """The text of a CSV, in UTF-8 or else as old spreadsheets write; may be packed."""
    try:
        with metadata.open("rb") as file:
            data = file.read(LARGEST + 1)
        if data.startswith(PACKED):
            with gzip.open(metadata) as packed:
                data = packed.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        said = getattr(error, "strerror", None) or error
        raise CatalogError(
            f"cannot be read: {said}", where=str(metadata), hint="name a CSV file"
        ) from None
    if len(data) > LARGEST:
        raise CatalogError("too large for a CSV of images", where=str(metadata))
    text = _decoded(data)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise CatalogError("a NUL character", where=f"{metadata}:{line}", hint=SAVE_AS)
    return text


def _decoded(data: bytes) -> str:
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
    seen: dict[str, str] = {}
    for name in filter(None, names):
        folded = name.casefold()
        if folded in seen:
            same = "stands twice" if seen[folded] == name else f"is '{seen[folded]}' but for case"
            raise CatalogError(f"column '{name}' {same}", where=where, hint="rename one")
        seen[folded] = name
        if folded in OURS:
            raise CatalogError(
                f"column '{name}' is set by studyspec", where=where, hint="rename it"
            )
        meant = next((known for known in KNOWN if known.casefold() == folded), name)
        if meant != name:
            hint = "write it as it is there"
            raise CatalogError(f"column '{name}' is not '{meant}'", where=where, hint=hint)
    if "image" not in names:
        close = get_close_matches("image", names, n=1)
        hint = f"is it '{close[0]}'?" if close else "it names the image files"
        raise CatalogError("no column 'image'", where=where, hint=hint)


def unlabelled(lines: Sequence[Line]) -> tuple[str, ...]:
    """A note if images have no label, which makes them useless for training and tests."""
    if "label" not in lines[0].cells:
        close = get_close_matches("label", lines[0].cells, n=1)
        meant = f"; is it '{close[0]}'?" if close else ""
        return (f"there is no column 'label': no image has a label{meant}",)
    without = sum(not line.cells["label"] for line in lines)
    return (f"{without} of {len(lines)} images have no label",) if without else ()


def _is_number(text: str) -> bool:
    return bool(NUMBER.fullmatch(text)) and math.isfinite(float(text))


def _kind(cells: Sequence[str]) -> Kind:
    given = [cell for cell in cells if cell]
    if any(PADDED.match(cell) for cell in given):
        return str
    if all(WHOLE.fullmatch(cell) and int(cell) in BIGINT for cell in given):
        return int
    if all(WHOLE.fullmatch(cell) for cell in given):
        return str  # a number that no column of numbers holds exactly
    return float if all(map(_is_number, given)) else str
