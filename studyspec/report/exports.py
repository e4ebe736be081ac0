"""Exports: charts and tables of a study as files, without a browser and without a network."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import vl_convert

from studyspec.report import charts
from studyspec.report.contents import Cells, merged_cells
from studyspec.report.extras import extras
from studyspec.report.frames import StudyFrames
from studyspec.report.latex import latex

if TYPE_CHECKING:
    from studyspec.store.layout import Results

METRICS = {
    "dice": ("dice_mean", "dice_sd"),
    "dice_micro": ("dice_micro_mean", "dice_micro_sd"),
    "normalized": ("normalized", None),
    "oversegmentation": ("oversegmentation_mean", "oversegmentation_sd"),
}
VERSION = "6.4"
PNG_SCALE = 3
INK = "#1b1c1e"
FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def export(results: Results, study: str, profile: str | None, folder: Path) -> list[Path]:
    """Write every chart of a study as svg, png and pdf, its tables as csv, its matrix as tex.

    Raises
    ------
    NothingThere
        If it was never planned in this results folder.
    """
    from studyspec.report.reading import read

    return write_all(read(results, study, profile), folder)


def write_all(frames: StudyFrames, folder: Path) -> list[Path]:
    """Write all files of a study; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    cells = merged_cells(frames)
    written = []
    for name, spec in drawings(frames, cells):
        for suffix, data in _pictures(spec):
            written.append(folder / f"{name}.{suffix}")
            written[-1].write_bytes(data)
    tables = {"cells": cells, "folds": frames.folds.rows, "images": frames.images.rows}
    tables["curves"] = frames.curves.rows
    for name, rows in tables.items():
        if rows:
            written.append(folder / f"{name}.csv")
            written[-1].write_text(as_csv(rows), encoding="utf-8")
    if cells:
        written.append(folder / "matrix.tex")
        written[-1].write_text(latex(cells, list(frames.plan["variants"])), encoding="utf-8")
    return written


def drawings(frames: StudyFrames, cells: Cells) -> Iterator[tuple[str, charts.Spec]]:
    """Every chart with its rows, by the name of its file."""
    for variant in frames.plan["variants"]:
        mine = [cell for cell in cells if cell["variant"] == variant]
        names = list(dict.fromkeys([c["train"] for c in mine] + [c["test"] for c in mine]))
        for metric, (value, sd) in METRICS.items() if mine else ():
            rows = [_cell(cell, value, sd) for cell in mine]
            yield (
                f"matrix-{_file(variant)}-{metric}",
                {**charts.matrix(names), "datasets": {"cells": rows}},
            )
    for extra in extras(frames):
        yield extra.name, {**extra.spec, "datasets": {"rows": list(extra.rows)}}


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV; a text that a spreadsheet would take for a formula gets an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow([_harmless(value) for value in row.values()])
    return out.getvalue()


def _cell(cell: Mapping[str, Any], value: str, sd: str | None) -> dict[str, Any]:
    """A row of the chart of the matrix."""
    score, spread = cell[value], None if sd is None else cell[sd]
    return {
        "train": cell["train"],
        "test": cell["test"],
        "state": "missing" if score is None else cell["state"],
        "value": score,
        "text": "–" if score is None else f"{score:.2f}",
        "spread": "" if spread is None else f"± {spread:.2f}",
        "aria": "",
    }


def _pictures(spec: charts.Spec) -> Iterator[tuple[str, bytes]]:
    """The chart in each format, dark ink on white."""
    whole = _inked({**spec, "config": {**charts.CONFIG, "background": "white"}})
    svg: str = vl_convert.vegalite_to_svg(whole, vl_version=VERSION)
    yield "svg", svg.encode()
    yield "png", vl_convert.vegalite_to_png(whole, vl_version=VERSION, scale=PNG_SCALE)
    yield "pdf", vl_convert.vegalite_to_pdf(whole, vl_version=VERSION)


def _inked(spec: Any) -> Any:
    """The specification with a colour where a page would take that of its text."""
    if isinstance(spec, Mapping):
        return {key: _inked(value) for key, value in spec.items()}
    if isinstance(spec, list | tuple):
        return [_inked(value) for value in spec]
    return INK if spec == charts.INK else spec


def _file(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name)


def _harmless(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(FORMULAS):
        return f"'{value}"
    return value
