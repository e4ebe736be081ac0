"""Statistics of the images over the strength of added noise: contrast and roughness."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import altair as alt

from studyspec.plugins.contracts import Chart, Drawing, Spec
from studyspec.report.frames import StatisticsRow, StudyFrames
from studyspec.report.theme import PALETTE, rows, spec_of, tip


class Statistics(Chart):
    """One statistic, a line for each dataset, where it was measured at several strengths."""

    def __init__(
        self, name: str, position: int, caption: str, value: Callable[[StatisticsRow], float | None]
    ) -> None:
        self.name, self.position = name, position
        self._caption, self._value = caption, value

    def draw(self, study: StudyFrames) -> Iterator[Drawing]:
        """One drawing, if there are several strengths."""
        measured = study.statistics
        if measured is None or len({row.rho for row in measured.rows}) < 2:
            return
        known = [(row, y) for row in measured.rows if (y := self._value(row)) is not None]
        yield Drawing(
            name=self.name,
            title=self.name.capitalize(),
            caption=self._caption,
            spec=_spec(self.name),
            rows=tuple(
                {
                    "variant": row.variant,
                    "dataset": row.dataset,
                    "rho": row.rho,
                    "images": row.images,
                    self.name: y,
                    "aria": f"{row.dataset} at {row.rho:g}: {y:.4g}",
                }
                for row, y in known
            ),
            sql=measured.sql,
        )


CONTRAST = Statistics(
    "contrast",
    300,
    "Median of the background less that of the particles, mean of images.",
    lambda row: row.contrast,
)
ROUGHNESS = Statistics(
    "roughness",
    310,
    "Σ|F|²k²/Σ|F|², k in cycles per pixel, mean of patches and images.",
    lambda row: row.roughness,
)


def _spec(name: str) -> Spec:
    line = (
        rows()
        .mark_line(point=alt.OverlayMarkDef(filled=True, size=40))
        .encode(
            x=alt.X("rho:Q", title="added noise rho [sd]"),
            y=alt.Y(f"{name}:Q", title=name).scale(zero=False),
            color=alt.Color("dataset:N", title=None).scale(range=PALETTE),
            tooltip=tip(),
        )
    )
    return spec_of(line.properties(width=420, height=240))
