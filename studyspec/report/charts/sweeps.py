"""Sweeps: dice over the values of a swept setting, with the own sets for comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import altair as alt
from pydantic import JsonValue

from studyspec.plugins.contracts import Chart, Drawing, Row, Spec
from studyspec.report.frames import MatrixCell, StudyFrames
from studyspec.report.theme import HEADER, PALETTE, rows, spec_of, tip
from studyspec.spec.derived import DICE
from studyspec.spec.names import stem


class Sweeps(Chart):
    """A drawing for each setting that a variant sweeps over numbers."""

    name = "sweeps"
    position = 100

    def draw(self, study: StudyFrames) -> Iterator[Drawing]:
        """Those that have scores at more than one value."""
        for number, ((_, setting), values) in enumerate(_swept(study.plan.variants).items()):
            points = [
                _point(cell, values[cell.variant], study)
                for cell in study.matrix.rows
                if cell.variant in values and cell.means.get(DICE) is not None
            ]
            if len({point["value"] for point in points}) > 1:
                yield Drawing(
                    name=f"{number}",
                    title=setting,
                    caption="Mean dice over the folds, ± one standard deviation (ddof 1); dotted: "
                    "networks that were trained on the test set itself.",
                    spec=_spec(setting),
                    rows=tuple(points),
                    sql=study.matrix.sql,
                )


SWEEPS = Sweeps()


def _swept(
    variants: Mapping[str, Mapping[str, JsonValue]],
) -> dict[tuple[str, str], dict[str, float]]:
    """For each swept variant and setting its value at every point, by the point's name."""
    found: dict[tuple[str, str], dict[str, float]] = {}
    for variant, changes in variants.items():
        name = stem(variant)
        for part in variant.removeprefix(name).strip("[]").split(","):
            setting, given, _ = part.partition("=")
            value = changes.get(setting)
            if given and isinstance(value, int | float) and not isinstance(value, bool):
                found.setdefault((name, setting), {})[variant] = float(value)
    return found


def _point(cell: MatrixCell, value: float, study: StudyFrames) -> Row:
    dice, spread = cell.means[DICE] or 0.0, cell.sds.get(DICE) or 0.0
    return {
        "value": value,
        "train": cell.train,
        "test": cell.test,
        "dice": dice,
        "low": dice - spread,
        "high": dice + spread,
        "own": study.own_score(cell.name),
        "aria": f"{cell.train} on {cell.test} at {value:g}: dice {dice:.3f}",
    }


def _spec(setting: str) -> Spec:
    """A line for each test set, its own set dotted; a panel for each training set."""
    color = alt.Color("test:N", title="tested on").scale(range=PALETTE)
    x = alt.X("value:Q", title=setting)
    y = alt.Y("dice:Q", title="dice").scale(zero=False)
    band = rows().mark_area(opacity=0.15, aria=False)
    line = rows().mark_line(strokeWidth=2, aria=False).encode(x=x, y=y, color=color)
    points = rows().mark_point(filled=True, size=50, opacity=1)
    own = rows().mark_line(strokeDash=[2, 3], strokeWidth=1.5, aria=False)
    layers = alt.layer(
        band.encode(x=x, y="low:Q", y2="high:Q", color=color),
        own.encode(x=x, y="own:Q", color=color),
        line,
        points.encode(x=x, y=y, color=color, tooltip=tip(), description="aria:N"),
    ).properties(width=420, height=260)
    panels = alt.Facet("train:N", title="trained on").header(**HEADER)
    return spec_of(layers.facet(panels, columns=2))
