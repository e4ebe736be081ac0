"""The page: one HTML file that works offline, from the frames of one or more studies."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from pydantic import JsonValue

from studyspec.files import write as write_whole
from studyspec.report import flat, linked, verdicts
from studyspec.report.asked import Asked
from studyspec.report.cells import Cells, merged_cells, sets
from studyspec.report.contents import Contents, contents
from studyspec.report.drawings import Drawn, drawn
from studyspec.report.embedding import columnar, policy, safe_json, script_text, vega_bundle
from studyspec.report.flat import FlatRow
from studyspec.report.frames import StudyFrames
from studyspec.report.gallery import gallery, too_large
from studyspec.report.latex import latex
from studyspec.report.micrographs import micrographs
from studyspec.report.shown import Shown, shown
from studyspec.report.theme import CONFIG
from studyspec.report.verdicts import JudgedClaim
from studyspec.spec.derived import DICE

if TYPE_CHECKING:
    from studyspec.store.folder import Results

IMAGE_COLUMNS = ("variant", "train", "test", "fold", "image_id", DICE, "n_patches")
"""What the page holds of each image; all the rest is in the exports."""
PICTURES_BYTES = 3_000_000
"""Pictures in the page, at most; more go to a folder beside it."""


@dataclass(frozen=True)
class Part:
    """One study of the page: its rows, its cells, its charts, and what came of its claims.

    `pictures` are the rows of the gallery, `micrographs` those of whole images, with addresses.
    """

    frames: StudyFrames
    cells: Cells
    columns: Sequence[Shown]
    claims: Sequence[JudgedClaim]
    pictures: Sequence[FlatRow]
    micrographs: Sequence[FlatRow]
    charts: Sequence[Drawn]
    contents: Contents

    @property
    def tally(self) -> str:
        """How many claims held."""
        return verdicts.tally(self.claims)

    @property
    def families(self) -> str:
        """Which claims are one family."""
        return verdicts.told_families(self.claims)

    @property
    def looks(self) -> str:
        """How often the claims were judged, if several times."""
        return verdicts.told_looks(self.frames.plan)

    @property
    def sql(self) -> Mapping[str, str]:
        """The queries behind the linked charts."""
        frames = self.frames
        return {
            "matrix": frames.matrix.sql,
            "folds": frames.folds.sql,
            "images": frames.images.sql,
            "curves": frames.curves.sql,
        }

    @property
    def beside(self) -> bool:
        """Whether pictures lie beside the page."""
        rows = (*self.pictures, *self.micrographs)
        return any(not str(row["data"]).startswith("data:") for row in rows)

    @property
    def latex(self) -> str:
        """The matrix as LaTeX."""
        return latex(self.cells, list(self.frames.plan.variants), self.columns)


def build(results: Results, studies: Sequence[Asked], out: Path) -> Path:
    """Write one page on the given studies, from what the store knows now.

    Raises
    ------
    NothingThere
        If a study has never been planned in this results folder.
    """
    from studyspec.report.reading import read_all

    write(read_all(results, studies), out)
    return out


def write(studies: Sequence[StudyFrames], out: Path) -> None:
    """Write the page; pictures that would make it too large go to a folder beside it."""
    beside = out.parent / f"{out.stem}_pictures"
    write_whole(out, _rendered([part_of(frames, beside) for frames in studies]))


def render(studies: Sequence[StudyFrames]) -> str:
    """The page as text; the same frames always give the same text."""
    return _rendered([part_of(frames) for frames in studies])


def part_of(frames: StudyFrames, beside: Path | None = None) -> Part:
    """Merge plan and scores, judge and draw; too many pictures are put into the folder `beside`."""
    merged = merged_cells(frames)
    scores = verdicts.scores_of(frames, merged)
    cells = verdicts.with_differences(merged, scores)
    charts = drawn(frames)
    pictures, wholes = gallery(frames), micrographs(frames)
    jpegs = [*(one.jpeg for one in pictures), *(one.jpeg for one in wholes)]
    texts = iter(_addresses(frames, jpegs, beside))
    return Part(
        frames,
        cells,
        shown(frames.matrix.rows),
        verdicts.claims(frames, scores),
        [flat.picture_row(picture, next(texts)) for picture in pictures],
        [flat.picture_row(whole, next(texts)) for whole in wholes],
        charts,
        contents(frames, cells, charts),
    )


def _addresses(frames: StudyFrames, jpegs: Sequence[bytes], beside: Path | None) -> list[str]:
    """Each picture as an address that holds it, or as the name of its file."""
    if beside is None or not too_large(jpegs, PICTURES_BYTES):
        start = "data:image/jpeg;base64,"
        return [start + base64.b64encode(jpeg).decode() for jpeg in jpegs]
    texts = [f"{beside.name}/{frames.plan.study}-{number}.jpg" for number in range(len(jpegs))]
    for jpeg, name in zip(jpegs, texts, strict=True):
        write_whole(beside.parent / name, jpeg, durable=False)
    return texts


def _rendered(parts: Sequence[Part]) -> str:
    css, js, bundle = (
        shipped("page.css"),
        script_text(shipped("helpers.js") + shipped("page.js")),
        vega_bundle(),
    )
    data = {
        "studies": [_data(part) for part in parts],
        "specs": {
            "folds": linked.folds(),
            "images": linked.images(),
            "epoch": linked.curves(),
            "step": linked.curves("step"),
        },
        "config": CONFIG,
    }
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    beside = any(part.beside for part in parts)
    return environment.from_string(shipped("page.html")).render(
        title=_title(parts),
        studies=parts,
        # These are ours, hashed in the policy, and checked for what could end their element.
        policy=Markup(policy([bundle, js], [css], beside)),
        css=Markup(css),
        js=Markup(js),
        bundle=Markup(bundle),
        data=Markup(safe_json(data)),
    )


def _data(part: Part) -> dict[str, JsonValue]:
    """What the scripts of the page need of one study."""
    frames = part.frames
    trains, tests = sets(part.cells)
    drawings = {one.name: one.drawing for one in part.charts if one.drawing is not None}
    rows: dict[str, Sequence[FlatRow]] = {
        "cells": flat.cell_rows(part.cells, part.columns),
        "folds": _tested(flat.fold_rows(frames), "evaluation"),
        "images": [
            {name: row.get(name) for name in IMAGE_COLUMNS}
            for row in _tested(flat.image_rows(frames))
        ],
        "curves": flat.curve_rows(frames),
        "networks": flat.network_rows(frames),
        "gallery": part.pictures,
        "micrographs": part.micrographs,
        "patches": [row._asdict() for row in frames.patch_scores],
        **{name: drawing.rows for name, drawing in drawings.items()},
    }
    return {
        "name": frames.plan.study,
        "variants": list(frames.plan.variants),
        "trains": list(trains),
        "tests": list(tests),
        "metrics": [_menu(column) for column in part.columns],
        "matrix": linked.matrix(list(dict.fromkeys(trains + tests))),
        "frames": {name: columnar(its) for name, its in rows.items()},
        "charts": {name: drawing.spec for name, drawing in drawings.items()},
    }


def _menu(column: Shown) -> dict[str, JsonValue]:
    """What the page says of a metric, and where it finds its numbers."""
    return {
        "name": column.name,
        "label": column.quantity.label,
        "value": column.value_column,
        "spread": column.spread_column,
        "low": column.low,
        "high": column.high,
        "interval": [f"{column.name}_low", f"{column.name}_high"],
        "reverse": column.quantity.better == "lower",
    }


def _tested(rows: Sequence[FlatRow], *without: str) -> list[FlatRow]:
    """The rows of split test, without that column and some others."""
    gone = {"split", *without}
    return [
        {name: value for name, value in row.items() if name not in gone}
        for row in rows
        if row["split"] == "test"
    ]


def _title(parts: Sequence[Part]) -> str:
    names = [part.frames.plan.study for part in parts]
    return f"{names[0]} · studyspec" if len(names) == 1 else f"{len(names)} studies · studyspec"


def shipped(name: str) -> str:
    """A file of the page."""
    return files("studyspec.report").joinpath(name).read_text(encoding="utf-8")
