"""What came of a study's claims, and how far each cell is from its own set, for the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from studyspec.report.frames import StudyFrames
from studyspec.spec.claims import Claim
from studyspec.stats.claims import FEWEST_MICROGRAPHS, Outcome, Verdict, judge_all, number
from studyspec.stats.differences import contrast, lacking, mean_of
from studyspec.stats.scores import CellName, Scores

KIND: Mapping[Outcome, str] = {
    "held": "held",
    "did not hold": "failed",
    "undecided": "undecided",
}
WIDTH, MARGIN = 320, 24  # of the drawing of an interval [px]
Cells = Sequence[Mapping[str, Any]]


def scores_of(frames: StudyFrames, cells: Cells) -> Scores:
    """The scores of a study as claims are judged on them."""
    plan = frames.plan
    return Scores(
        folds=frames.folds.rows,
        images=[
            {**row, "micrograph": plan["images"][row["image_id"]].get("micrograph")}
            for row in frames.images.rows
        ],
        absent={
            CellName(cell["variant"], cell["train"], cell["test"]): cell["why"]
            for cell in cells
            if cell["state"] != "done"
        },
        variants=plan["variants"],
        columns={name: _columns(plan, name) for name in plan["datasets"]},
    )


def with_differences(cells: Cells, scores: Scores) -> list[dict[str, Any]]:
    """The cells, each with its dice less that of its own set, where both are complete."""
    return [dict(cell) | _less_own(cell, scores) for cell in cells]


def claims(frames: StudyFrames, scores: Scores) -> list[dict[str, Any]]:
    """Every claim of the study with its verdict, as plain values."""
    said = [_claim(claim) for claim in frames.plan["spec"].get("claims", ())]
    verdicts = judge_all(said, scores)
    return [
        _verdict(verdict)
        | {"says": claim.says, "parts": [_verdict(part) for part in verdict.parts]}
        for claim, verdict in zip(said, verdicts, strict=True)
    ]


def tally(judged: Sequence[Mapping[str, Any]]) -> str:
    """As "2 of 3 claims held, 1 undecided."."""
    if not judged:
        return ""
    counts = {kind: sum(one["verdict"] == kind for one in judged) for kind in KIND}
    rest = [f"{n} {kind}" for kind, n in counts.items() if n and kind != "held"]
    return ", ".join([f"{counts['held']} of {len(judged)} claims held", *rest]) + "."


def _claim(written: Mapping[str, Any]) -> Claim:
    """A claim from its JSON, where what was not written stands as null or empty."""
    return Claim.model_validate({k: v for k, v in written.items() if v not in (None, [])})


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "verdict": verdict.outcome,
        "kind": KIND[verdict.outcome],
        "reason": verdict.reason,
        "drawing": _drawing(verdict),
    }


def _drawing(verdict: Verdict) -> dict[str, Any] | None:
    """Where the ends of an interval, zero and the bounds are drawn [px]."""
    if verdict.difference is None:
        return None
    low, high, value = verdict.difference.low, verdict.difference.high, verdict.difference.value
    bounds = [bound for bound in verdict.bounds if math.isfinite(bound)]
    points = [low, high, 0.0, *bounds]
    start, span = min(points), (max(points) - min(points)) or 1.0

    def place(x: float) -> float:
        return round(MARGIN + (WIDTH - 2 * MARGIN) * (x - start) / span, 1)

    return {
        "low": place(low),
        "high": place(high),
        "estimate": place(value),
        "zero": place(0.0),
        "bounds": [{"x": place(b), "text": f"{b:g}".replace("-", "−")} for b in bounds if b],
        "aria": f"{number(value)}, interval {number(low)} to {number(high)}",
    }


def _less_own(cell: Mapping[str, Any], scores: Scores) -> dict[str, Any]:
    nothing = {"difference": None, "low": None, "high": None, "micrographs": None}
    name = CellName(cell["variant"], cell["train"], cell["test"])
    own = scores.own_set(name)
    if own is None or own == name:
        return nothing
    pieces = [*mean_of([name], "dice"), *mean_of([own], "dice", -1)]
    if lacking(scores, pieces):
        return nothing
    found = contrast(scores, pieces)
    few = found.micrographs < FEWEST_MICROGRAPHS
    return {
        "difference": found.value,
        "low": None if few else found.low,
        "high": None if few else found.high,
        "micrographs": found.micrographs,
    }


def _columns(plan: Mapping[str, Any], dataset: str) -> dict[str, float]:
    """The mean of every numeric catalog column over the images of a dataset."""
    rows = [plan["images"][image] for image in plan["datasets"][dataset]["images"]]
    means = {}
    for column in rows[0] if rows else ():
        values = [row.get(column) for row in rows]
        if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
            means[column] = sum(map(float, values)) / len(values)
    return means
