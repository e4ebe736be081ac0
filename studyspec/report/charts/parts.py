"""Parts: scores on what a network was trained on beside those on what was held out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import altair as alt
import numpy as np

from studyspec.plugins.contracts import Chart, Drawing, Row, Spec
from studyspec.report.frames import StudyFrames
from studyspec.report.theme import BLUE, HEADER, INK, VERMILLION, rows, spec_of, tip
from studyspec.spec.derived import DICE
from studyspec.stats.scores import CellName

PARTS = {"train": "trained on", "test": "held out"}


class Parts(Chart):
    """Bars by variant and dataset, where the training part was scored too."""

    name = "parts"
    position = 200

    def draw(self, study: StudyFrames) -> Iterator[Drawing]:
        """One drawing, if any network was scored on its training part."""
        groups: dict[CellName, list[float]] = {}
        for row in study.folds.rows:
            dice = row.metrics.get(DICE)
            if row.train == row.test and row.split in PARTS and dice is not None:
                groups.setdefault(row.name, []).append(dice)
        if any(name.split == "train" for name in groups):
            several = len({name.train for name in groups}) > 1
            yield Drawing(
                name="parts",
                title="On what was trained on, and on what was held out",
                caption="Mean dice over the folds, ± one standard deviation (ddof 1).",
                spec=_spec(several),
                rows=tuple(_bar(name, values) for name, values in groups.items()),
                sql=study.folds.sql,
            )


PARTS_CHART = Parts()


def _bar(name: CellName, values: Sequence[float]) -> Row:
    mean, sd = float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    part = PARTS[name.split]
    return {
        "variant": name.variant,
        "dataset": name.train,
        "part": part,
        "dice": mean,
        "low": mean - sd,
        "high": mean + sd,
        "aria": f"{name.train}, {name.variant}, {part}: dice {mean:.3f} ± {sd:.3f}",
    }


def _spec(several: bool) -> Spec:
    """Bars by variant; a panel for each dataset, if there are several."""
    parts = list(PARTS.values())
    x = alt.X("variant:N", title=None, sort=None).axis(labelAngle=0)
    offset = alt.XOffset("part:N", sort=parts)
    y = alt.Y("dice:Q", title="dice").scale(domain=[0, 1])
    color = (
        alt.Color("part:N", title=None)
        .scale(domain=parts, range=[BLUE, VERMILLION])
        .legend(orient="top")
    )
    bar = (
        rows()
        .mark_bar()
        .encode(x=x, xOffset=offset, y=y, color=color, tooltip=tip(), description="aria:N")
    )
    spread = (
        rows()
        .mark_rule(color=INK, strokeWidth=1.5, aria=False)
        .encode(x=x, xOffset=offset, y="low:Q", y2="high:Q")
    )
    layers = alt.layer(bar, spread).properties(width={"step": 44}, height=240)
    if not several:
        return spec_of(layers)
    return spec_of(layers.facet(alt.Facet("dataset:N", title=None).header(**HEADER), columns=3))
