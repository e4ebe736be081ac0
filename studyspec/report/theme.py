"""The theme: the colours of every chart, and what a page and a picture give each of them alike."""

from __future__ import annotations

import altair as alt

from studyspec.plugins.contracts import Spec

# Okabe's and Ito's blue and vermillion, distinct to colour-blind readers; the blue a bit lighter,
# so that its contrast is at least 3 on white and on dark paper.
BLUE, VERMILLION = "#2a86c8", "#D55E00"
INK = "currentColor"  # follows light, dark and print
PALETTE = [BLUE, VERMILLION, "#009E73", "#CC79A7", "#b58900", "#6a5acd", "#8a8a8a"]
ROWS = "rows"
"""The name of the data of a chart that is a plug-in."""
DATA = alt.NamedData(ROWS)  # one object, so that altair sees that all layers share it
HEADER: Spec = {"labelColor": INK, "titleColor": INK, "labelFontSize": 12}
CONFIG: Spec = {
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "tickColor": INK,
        "domainColor": INK,
        "gridColor": "#8884",
        "titleFontWeight": 500,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "labelLimit": 170,
        "labelPadding": 6,
    },
    "legend": {"labelColor": INK, "titleColor": INK, "titleFontWeight": 500, "labelFontSize": 12},
}


def rows() -> alt.Chart:
    """A chart over the named data of a plug-in."""
    return alt.Chart(DATA)


def tip() -> alt.Tooltip:
    """A tooltip of the column `aria`, which screen readers are told too."""
    return alt.Tooltip("aria:N", title=" ")


def spec_of(chart: alt.Chart | alt.LayerChart | alt.FacetChart) -> Spec:
    """The specification of a chart, without a look of its own."""
    spec: Spec = chart.to_dict(validate=False)
    spec.pop("config", None)  # the page gives every chart the same
    return spec
