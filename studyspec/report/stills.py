"""Stills: the linked charts without clicks, the cells of a variant side by side, for files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np

from studyspec.plugins.contracts import Spec
from studyspec.report import linked
from studyspec.report.done import Done
from studyspec.report.embedding import Scalar
from studyspec.report.flat import FlatRow
from studyspec.report.frames import CurveRow, FoldRow, ScoredImage, StudyFrames
from studyspec.report.theme import BLUE, HEADER, INK, VERMILLION, spec_of
from studyspec.report.verdicts import JudgedClaim
from studyspec.spec.derived import DICE

WORST = 24
"""Images of a test set in a picture; the rest are in the CSV."""


@dataclass(frozen=True)
class Still:
    """A picture: what its file is called by, its specification, and its data by name."""

    name: tuple[str, ...]
    spec: Spec
    data: dict[str, list[FlatRow]]


def stills(frames: StudyFrames, variant: str) -> Iterator[Still]:
    """Folds, images (by test set) and curves of a variant, as far as there are any."""
    folds = [r for r in frames.folds.rows if r.variant == variant and r.split == "test"]
    if rows := [row for fold in folds for row in _fold(fold)] + list(_means(folds, frames)):
        yield Still(("folds", variant), _folds_spec(rows), {"folds": rows})
    images = [r for r in frames.images.rows if r.variant == variant and r.split == "test"]
    for test in dict.fromkeys(row.test for row in images):
        rows = list(_images([row for row in images if row.test == test]))
        yield Still(("images", variant, test), _images_spec(rows), {"images": rows})
    if rows := list(_curves(frames, variant)):
        panels = alt.Facet("train:N", title="trained on", sort=_order(rows)).header(**HEADER)
        chart = (
            linked.curves_chart(str(rows[0]["unit"]))
            .properties(width=260, height=180)
            .facet(panels, columns=3)
        )
        yield Still(("curves", variant), spec_of(chart), {"curves": rows})


def claims_still(judged: Sequence[JudgedClaim]) -> Still | None:
    """The interval of every prediction, below each other; None without any."""
    rows: list[FlatRow] = []
    for claim in judged:
        for number, part in enumerate(claim.parts or (claim,), start=1):
            if part.drawing is None:
                continue
            estimate, low, high = part.drawing.numbers
            claimed = part.drawing.claimed
            told = f"{claim.says} ({number})" if claim.parts else claim.says
            rows.append(
                {
                    "claim": told,
                    "verdict": part.verdict,
                    "estimate": estimate,
                    "low": low,
                    "high": high,
                    "bound": claimed[0] if claimed else None,
                    "other_bound": claimed[1] if len(claimed) > 1 else None,
                    "place": len(rows),
                }
            )
    return Still(("claims",), _claims_spec(), {"claims": rows}) if rows else None


def _claims_spec() -> Spec:
    data = alt.Chart(alt.NamedData("claims"))
    y = alt.Y("claim:N", sort=alt.EncodingSortField("place", op="min"), title=None).axis(
        labelLimit=620
    )
    color = (
        alt.Color("verdict:N", title=None)
        .scale(domain=["held", "did not hold", "undecided"], range=["#006b4e", VERMILLION, "#777"])
        .legend(orient="top")
    )
    x = alt.X("low:Q", title="difference or trend, interval; thin: what was claimed")
    zero = data.mark_rule(color=INK, opacity=0.3).encode(x=alt.datum(0, type="quantitative"))
    bars = data.mark_rule(strokeWidth=3).encode(x=x, x2="high:Q", y=y, color=color)
    points = data.mark_point(filled=True, size=70, opacity=1).encode(
        x="estimate:Q", y=y, color=color
    )
    ticks = [
        data.transform_filter(f"isValid(datum.{name})")
        .mark_tick(thickness=1.5, height=14, strokeDash=[3, 2], color=INK)
        .encode(x=f"{name}:Q", y=y)
        for name in ("bound", "other_bound")
    ]
    return spec_of(alt.layer(zero, bars, points, *ticks).properties(width=360, height={"step": 26}))


def _fold(row: FoldRow) -> Iterator[FlatRow]:
    dice = row.metrics.get(DICE)
    if row.fold is not None and dice is not None:
        where = {"train": row.train, "test": row.test, "what": "fold"}
        yield {**where, "fold": row.fold, "dice": dice}


def _means(folds: Sequence[FoldRow], frames: StudyFrames) -> Iterator[FlatRow]:
    """The mean of every cell with folds, and that of its own set."""
    for name in dict.fromkeys(row.name for row in folds if row.fold is not None):
        cell = frames.scored.get(name)
        where = {"train": name.train, "test": name.test, "fold": None}
        if cell is not None and cell.means.get(DICE) is not None:
            yield {**where, "what": "mean", "dice": cell.means[DICE]}
        own = frames.own_score(name)
        if own is not None and name.train != name.test:
            yield {**where, "what": "own set", "dice": own}


def _images(rows: Sequence[ScoredImage]) -> Iterator[FlatRow]:
    """Of each training set every fold of every image, and their mean; the worst images first."""
    scores: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        dice = row.metrics.get(DICE)
        if dice is not None:
            scores.setdefault(row.image_id, {}).setdefault(row.train, []).append(dice)
    means = {
        image: np.mean([d for its in by.values() for d in its]) for image, by in scores.items()
    }
    for place, image in enumerate(sorted(means, key=means.__getitem__)[:WORST]):
        for train, values in scores[image].items():
            where: dict[str, Scalar] = {"train": train, "image": image, "place": place}
            yield {**where, "what": "mean", "dice": float(np.mean(values))}
            for dice in values:
                yield {**where, "what": "fold", "dice": dice}


def _curves(frames: StudyFrames, variant: str) -> Iterator[FlatRow]:
    """Losses of every network of a variant; that of the lowest validation loss was kept."""
    done = Done(frames.plan)
    networks: dict[str, list[CurveRow]] = {}
    for row in frames.curves.rows:
        networks.setdefault(row.network, []).append(row)
    for cell in {c.network: c for c in frames.plan.cells if c.variant == variant}.values():
        its, length = networks.get(cell.network, []), done.length(cell.network)
        losses = {row.epoch: row.validation_loss for row in its}
        known = {epoch: loss for epoch, loss in losses.items() if loss is not None}
        best = min(known, key=known.__getitem__, default=None)
        for row in its:
            for part, loss in zip(linked.PARTS, (row.train_loss, row.validation_loss), strict=True):
                kept = part == linked.PARTS[1] and row.epoch == best
                where: dict[str, Scalar] = {"train": cell.train, "fold": cell.fold}
                at = {"unit": length.unit, "at": length.reached(row.epoch)}
                yield {**where, **at, "loss": loss, "part": part, "kept": kept}


def _order(rows: Sequence[FlatRow], column: str = "train") -> list[str]:
    """The names in a column as they come."""
    return list(dict.fromkeys(str(row[column]) for row in rows))


def _folds_spec(rows: Sequence[FlatRow]) -> Spec:
    data = alt.Chart(alt.NamedData("folds"))
    points = (
        data.transform_filter("datum.what === 'fold'")
        .mark_point(filled=True, size=50, color=BLUE, opacity=1)
        .encode(x=linked.dice_axis(), y=alt.Y("fold:O", title="fold"))
    )
    dash = (
        alt.StrokeDash("what:N", title=None)
        .scale(domain=["mean", "own set"], range=[[1, 0], [2, 3]])
        .legend(orient="top", symbolStrokeColor=INK, symbolType="stroke")
    )
    rules = (
        data.transform_filter("datum.what !== 'fold'")
        .mark_rule(strokeWidth=1.5, color=INK)
        .encode(x="dice:Q", strokeDash=dash)
    )
    return spec_of(
        alt.layer(points, rules)
        .properties(width=150, height=80)
        .facet(
            row=alt.Row("train:N", title="trained on", sort=_order(rows)).header(**HEADER),
            column=alt.Column("test:N", title="tested on", sort=_order(rows, "test")).header(
                **HEADER
            ),
        )
    )


def _images_spec(rows: Sequence[FlatRow]) -> Spec:
    data = alt.Chart(alt.NamedData("images"))
    y = alt.Y("image:N", sort=alt.EncodingSortField("place", op="min"), title=None)
    x = linked.dice_axis()
    points = (
        data.transform_filter("datum.what === 'fold'")
        .mark_point(filled=True, size=26, color=BLUE, opacity=0.7)
        .encode(x=x, y=y)
    )
    means = (
        data.transform_filter("datum.what === 'mean'")
        .mark_tick(thickness=2, color=INK, height=10)
        .encode(x=x, y=y)
    )
    return spec_of(
        alt.layer(points, means)
        .properties(width=180, height={"step": 14})
        .facet(column=alt.Column("train:N", title="trained on", sort=_order(rows)).header(**HEADER))
    )
