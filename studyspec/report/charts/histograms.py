"""Histograms: shares of pixels by prepared intensity, of particle and of background."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import altair as alt

from studyspec.plugins.contracts import Chart, Drawing, Row, Spec
from studyspec.report.frames import HistogramRow, StudyFrames
from studyspec.report.theme import BLUE, HEADER, VERMILLION, rows, spec_of

PARTS = ("particle", "background")


class Histograms(Chart):
    """A panel for each dataset and variant that was measured."""

    name = "histograms"
    position = 400

    def draw(self, study: StudyFrames) -> Iterator[Drawing]:
        """One drawing, if anything was measured."""
        if study.histograms is not None and study.histograms.rows:
            yield Drawing(
                name="histograms",
                title="Intensities",
                caption="Pixels by prepared intensity, as a share of all pixels of particle or "
                "background.",
                spec=_spec(),
                rows=tuple(_densities(study.histograms.rows)),
                sql=study.histograms.sql,
            )


HISTOGRAMS = Histograms()


def _densities(bins: Sequence[HistogramRow]) -> Iterator[Row]:
    """Shares of particle and of background by intensity; ends without pixels are left out."""
    totals: dict[tuple[str, str, str], int] = {}
    for row in bins:
        for part, pixels in zip(PARTS, (row.particle, row.background), strict=True):
            key = (row.variant, row.dataset, part)
            totals[key] = totals.get(key, 0) + pixels
    for row in bins:
        for part, pixels in zip(PARTS, (row.particle, row.background), strict=True):
            total = totals[row.variant, row.dataset, part]
            if total and row.particle + row.background > 0:
                yield {
                    "panel": f"{row.dataset}, {row.variant}",
                    "intensity": (row.intensity_low + row.intensity_high) / 2,
                    "part": part,
                    "share": pixels / total,
                }


def _spec() -> Spec:
    line = (
        rows()
        .mark_line(interpolate="step", strokeWidth=1.5)
        .encode(
            x=alt.X("intensity:Q", title="prepared intensity"),
            y=alt.Y("share:Q", title="share of pixels"),
            color=alt.Color("part:N", title=None)
            .scale(domain=["background", "particle"], range=[BLUE, VERMILLION])
            .legend(orient="top"),
        )
    )
    chart = line.properties(width=260, height=180).facet(
        alt.Facet("panel:N", title=None, sort=None).header(**HEADER), columns=3
    )
    return spec_of(chart.resolve_scale(x="independent", y="independent"))
