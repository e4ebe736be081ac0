"""Exports: charts and tables of a study as files, without a browser and without a network."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import vl_convert

from studyspec.files import write
from studyspec.neutral import for_csv
from studyspec.plugins.contracts import Spec
from studyspec.report import flat, linked, theme, verdicts
from studyspec.report.asked import Asked
from studyspec.report.cells import CellResult, Cells, merged_cells, of_variant, sets
from studyspec.report.drawings import Drawn, drawn, with_rows
from studyspec.report.embedding import VEGA_LITE
from studyspec.report.flat import FlatRow
from studyspec.report.frames import StudyFrames
from studyspec.report.latex import latex
from studyspec.report.shown import Shown, scale_of, shown
from studyspec.report.stills import claims_still, stills

if TYPE_CHECKING:
    from studyspec.store.folder import Results

PNG_SCALE = 3
INK = "#1b1c1e"
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
LEFT_OUT = "left-out.txt"
"""Names the charts that could not be drawn, and why."""


def export(results: Results, asked: Asked, folder: Path) -> list[Path]:
    """Write every chart of a study as svg, png, pdf and csv, its tables as csv, its matrix as tex.

    Raises
    ------
    NothingThere
        If it was never planned in this results folder.
    """
    from studyspec.report.reading import read_all

    (frames,) = read_all(results, [asked])
    return write_all(frames, folder)


def write_all(frames: StudyFrames, folder: Path) -> list[Path]:
    """Write all files of a study; their paths."""
    merged = merged_cells(frames)
    scores = verdicts.scores_of(frames, merged)
    cells = verdicts.with_differences(merged, scores)
    columns, charts = shown(frames.matrix.rows), drawn(frames)
    written = []
    for name, spec in pictures(frames, cells, columns, charts):
        for suffix, data in _formats(spec):
            written.append(folder / f"{name}.{suffix}")
            write(written[-1], data, durable=False)
        if rows := [row for its in spec["datasets"].values() for row in its]:
            written.append(folder / f"{name}.csv")
            write(written[-1], as_csv(rows), durable=False)
    for name, text in _texts(frames, cells, columns, charts):
        written.append(folder / name)
        write(written[-1], text, durable=False)
    return written


def pictures(
    frames: StudyFrames, cells: Cells, columns: Sequence[Shown], charts: Sequence[Drawn]
) -> Iterator[tuple[str, Spec]]:
    """Every chart with its rows, by the name of its file; no two names are the same."""
    taken: set[str] = set()
    for parts, spec in _named(frames, cells, columns, charts):
        stem = name = "-".join(map(_file, parts))
        while name.casefold() in taken:
            name = f"{stem}-{len(taken)}"
        taken.add(name.casefold())
        yield name, spec


def as_csv(rows: Sequence[FlatRow]) -> str:
    """Rows as CSV; a text that a spreadsheet would take for a formula gets an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer.writerow(map(for_csv, names))
    for row in rows:
        writer.writerow([for_csv(row.get(name)) for name in names])
    return out.getvalue()


def _named(
    frames: StudyFrames, cells: Cells, columns: Sequence[Shown], charts: Sequence[Drawn]
) -> Iterator[tuple[tuple[str, ...], Spec]]:
    for variant in frames.plan.variants:
        mine = of_variant(cells, variant)
        names = list(dict.fromkeys(name for both in sets(mine) for name in both))
        for column in columns if mine else ():
            rows = [_cell(cell, column) for cell in mine]
            low, high = scale_of([row["value"] for row in rows])
            quantity = column.quantity
            spec = linked.matrix(names, low, high, quantity.better == "lower", quantity.label)
            yield ("matrix", variant, column.name), {**spec, "datasets": {"cells": rows}}
        for still in stills(frames, variant):
            yield still.name, {**still.spec, "datasets": still.data}
    judged = claims_still(verdicts.claims(frames, verdicts.scores_of(frames, cells)))
    if judged is not None:
        yield judged.name, {**judged.spec, "datasets": judged.data}
    for chart in charts:
        if chart.drawing is not None:
            yield (chart.name,), with_rows(chart.drawing)


def _texts(
    frames: StudyFrames, cells: Cells, columns: Sequence[Shown], charts: Sequence[Drawn]
) -> Iterator[tuple[str, str]]:
    """Tables, and what is to be said of charts that are missing, by the names of their files."""
    for name, rows in {
        "cells": flat.cell_rows(cells, columns),
        "folds": flat.fold_rows(frames),
        "images": flat.image_rows(frames),
        "curves": flat.curve_rows(frames),
    }.items():
        if rows:
            yield f"{name}.csv", as_csv(rows)
    if cells:
        yield "matrix.tex", latex(cells, list(frames.plan.variants), columns)
    if failures := [chart.failure for chart in charts if chart.failure]:
        yield LEFT_OUT, "".join(f"{failure}\n" for failure in failures)


def _cell(cell: CellResult, column: Shown) -> FlatRow:
    """A row of the chart of the matrix."""
    score, spread = column.value(cell.scores), column.spread(cell.scores)
    interval = cell.intervals.get(column.name)
    return {
        "train": cell.name.train,
        "test": cell.name.test,
        "state": "missing" if score is None else cell.state.state,
        "value": score,
        "text": "–" if score is None else f"{score:.2f}",
        "spread": "" if spread is None else f"± {spread:.2f}",
        "interval": "" if interval is None else f"{interval[0]:.2f} to {interval[1]:.2f}",
        "aria": "",
    }


def _formats(spec: Spec) -> Iterator[tuple[str, bytes]]:
    """The chart in each format, dark ink on white; nothing is fetched for it."""
    whole = _inked({**spec, "config": {**theme.CONFIG, "background": "white"}})
    told: dict[str, Any] = {"vl_version": VEGA_LITE, "allowed_base_urls": []}
    svg: str = vl_convert.vegalite_to_svg(whole, **told)
    yield "svg", svg.encode()
    yield "png", vl_convert.vegalite_to_png(whole, scale=PNG_SCALE, **told)
    yield "pdf", vl_convert.vegalite_to_pdf(whole, **told)


def _inked(spec: Any) -> Any:  # JSON of whatever form
    """The specification with a colour where a page would take that of its text."""
    if isinstance(spec, dict):
        return {key: _inked(value) for key, value in spec.items()}
    if isinstance(spec, list | tuple):
        return [_inked(value) for value in spec]
    return INK if spec == theme.INK else spec


def _file(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
