"""The page: one HTML file that works offline, from the frames of one or more studies."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from studyspec.report import charts, verdicts
from studyspec.report.contents import Cells, contents, merged_cells
from studyspec.report.embedding import columnar, policy, safe_json, script_text, vega_bundle
from studyspec.report.extras import Extra, extras
from studyspec.report.frames import Row, StudyFrames
from studyspec.report.gallery import gallery, too_large
from studyspec.report.latex import latex

if TYPE_CHECKING:
    from studyspec.store.layout import Results

FOLD_COLUMNS = ("variant", "train", "test", "fold", "dice", "dice_micro", "n_patches", "network")
IMAGE_COLUMNS = ("variant", "train", "test", "fold", "image_id", "dice", "n_patches")
CURVE_COLUMNS = ("network", "epoch", "train_loss", "validation_loss")
GALLERY_COLUMNS = (
    "variant", "train", "test", "fold", "which", "dice", "image_id", "bar", "data",
)  # fmt: skip
PICTURES_BYTES = 3_000_000
"""Pictures in the page, at most; more go to a folder beside it."""
NETWORK_COLUMNS = ("variant", "train", "test", "fold", "network")


def build(results: Results, studies: Sequence[tuple[str, str | None]], out: Path) -> Path:
    """Write one page on the given (study, profile)s, from what the store knows now.

    Raises
    ------
    NothingThere
        If a study has never been planned in this results folder.
    """
    from studyspec.report.reading import read

    write([read(results, study, profile) for study, profile in studies], out)
    return out


def write(studies: Sequence[StudyFrames], out: Path) -> None:
    """Write the page; pictures that would make it too large go to a folder beside it."""
    parts = [_Part.of(frames) for frames in studies]
    beside = f"{out.stem}_pictures"
    out.parent.mkdir(parents=True, exist_ok=True)
    if any(too_large(part.gallery, PICTURES_BYTES) for part in parts):
        (out.parent / beside).mkdir(exist_ok=True)
        parts = [replace(part, gallery=_put_beside(part, out.parent, beside)) for part in parts]
    out.write_text(_rendered(parts, studies), encoding="utf-8")


def render(studies: Sequence[StudyFrames]) -> str:
    """The page as text; the same frames always give the same text."""
    return _rendered([_Part.of(frames) for frames in studies], studies)


def _put_beside(part: _Part, folder: Path, beside: str) -> list[dict[str, Any]]:
    """The gallery's rows with files in place of data."""
    rows = []
    for number, row in enumerate(part.gallery):
        data = base64.b64decode(row["data"].partition(",")[2])
        name = f"{part.frames.plan['study']}-{number}.jpg"
        (folder / beside / name).write_bytes(data)
        rows.append({**row, "data": f"{beside}/{name}"})
    return rows


def _rendered(parts: Sequence[_Part], studies: Sequence[StudyFrames]) -> str:
    css, js, bundle = (
        shipped("page.css"),
        script_text(shipped("helpers.js") + shipped("page.js")),
        vega_bundle(),
    )
    data = {
        "studies": [_data(part) for part in parts],
        "specs": {"folds": charts.folds(), "images": charts.images(), "curves": charts.curves()},
        "config": charts.CONFIG,
    }
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.from_string(shipped("page.html")).render(
        title=_title(studies),
        studies=[
            contents(part.frames, part.cells)
            | {"claims": part.claims, "tally": verdicts.tally(part.claims)}
            | {"sql": _queries(part.frames), "extras": part.extras, "gallery": bool(part.gallery)}
            | {"beside": any(not row["data"].startswith("data:") for row in part.gallery)}
            | {"latex": latex(part.cells, list(part.frames.plan["variants"]))}
            for part in parts
        ],
        # These are ours, hashed in the policy, and checked for what could end their element.
        policy=Markup(policy([bundle, js], [css], _beside(parts))),
        css=Markup(css),
        js=Markup(js),
        bundle=Markup(bundle),
        data=Markup(safe_json(data)),
    )


@dataclass(frozen=True)
class _Part:
    """One study of the page: its rows, its cells, and what came of its claims."""

    frames: StudyFrames
    cells: Cells
    claims: Sequence[Mapping[str, Any]]
    gallery: Sequence[dict[str, Any]]
    extras: Sequence[Extra]

    @classmethod
    def of(cls, frames: StudyFrames) -> _Part:
        """Merge plan and scores, and judge."""
        cells = merged_cells(frames)
        scores = verdicts.scores_of(frames, cells)
        judged = verdicts.claims(frames, scores)
        differences = verdicts.with_differences(cells, scores)
        return cls(frames, differences, judged, gallery(frames), extras(frames))


def _data(part: _Part) -> dict[str, Any]:
    """What the scripts of the page need of one study."""
    frames, cells, plan = part.frames, part.cells, part.frames.plan
    trains = list(dict.fromkeys(cell["train"] for cell in cells))
    tests = list(dict.fromkeys(cell["test"] for cell in cells))
    return {
        "name": plan["study"],
        "variants": list(plan["variants"]),
        "trains": trains,
        "tests": tests,
        "matrix": charts.matrix(list(dict.fromkeys(trains + tests))),
        "frames": {
            "cells": columnar(cells, list(cells[0]) if cells else ()),
            "folds": columnar(_tested(frames.folds.rows), FOLD_COLUMNS),
            "images": columnar(_tested(frames.images.rows), IMAGE_COLUMNS),
            "curves": columnar(frames.curves.rows, CURVE_COLUMNS),
            "networks": columnar(_tested(plan["cells"]), NETWORK_COLUMNS),
            "gallery": columnar(part.gallery, GALLERY_COLUMNS),
            **{extra.name: columnar(extra.rows, _names(extra.rows)) for extra in part.extras},
        },
        "extras": {extra.name: extra.spec for extra in part.extras},
    }


def _names(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(rows[0]) if rows else []


def _beside(parts: Sequence[_Part]) -> bool:
    return any(not row["data"].startswith("data:") for part in parts for row in part.gallery)


def _tested(rows: Sequence[Row]) -> Sequence[Row]:
    return [row for row in rows if row["split"] == "test"]


def _queries(frames: StudyFrames) -> Mapping[str, str]:
    return {name: getattr(frames, name).sql for name in ("matrix", "folds", "images", "curves")}


def _title(studies: Sequence[StudyFrames]) -> str:
    names = [str(frames.plan["study"]) for frames in studies]
    return f"{names[0]} · studyspec" if len(names) == 1 else f"{len(names)} studies · studyspec"


def shipped(name: str) -> str:
    """A file of the page."""
    return files("studyspec.report").joinpath(name).read_text(encoding="utf-8")
