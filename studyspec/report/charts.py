"""The charts as Vega-Lite specifications over named data; holds no numbers of a study.

The page gives each chart its rows by name, so that the data stand in the page once, and the charts
of folds and images their height, so that a row is as high whatever their number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

Spec = dict[str, Any]

# Okabe's and Ito's blue and vermillion, distinct to colour-blind readers; the blue a bit lighter,
# so that its contrast is at least 3 on white and on dark paper.
BLUE, VERMILLION = "#2a86c8", "#D55E00"
INK = "currentColor"  # follows light, dark and print
STRIPE = "#9a9a9a"

# The darker or lighter of the two inks always has a contrast of at least 4.58 with the cell.
CELL_INK = "luminance(scale('color', datum.value)) > 0.179 ? 'black' : 'white'"

PALETTE = [BLUE, VERMILLION, "#009E73", "#CC79A7", "#b58900", "#6a5acd", "#8a8a8a"]
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


def matrix(names: Sequence[str]) -> Spec:
    """The specification of `matrix_chart` over the named data `cells`."""
    return _spec(matrix_chart(names, alt.NamedData("cells")))


def drawn_matrix(
    names: Sequence[str], cells: Sequence[Mapping[str, Any]]
) -> alt.LayerChart | alt.FacetChart:
    """The chart of `matrix` with its rows, for a notebook."""
    return matrix_chart(names, alt.InlineData(values=[dict(cell) for cell in cells]))


def matrix_chart(
    names: Sequence[str], data: alt.InlineData | alt.NamedData
) -> alt.LayerChart | alt.FacetChart:
    """The train x test matrix: colour and two lines of text; a missing cell is hatched.

    Rows of `cells`: train, test, value, text, spread, state (done, part or missing), aria. `names`
    is the order of rows and columns. The signals `trainPicked` and `testPicked` outline a cell.
    """
    turned = any(len(name) > 9 for name in names)
    x = alt.X("test:N", sort=list(names), title="tested on").axis(
        orient="top", labelAngle=-30 if turned else 0, labelLimit=130, ticks=False, domain=False
    )
    y = alt.Y("train:N", sort=list(names), title="trained on").axis(ticks=False, domain=False)
    base = alt.Chart(data).encode(x=x, y=y)
    picked = "datum.train === trainPicked && datum.test === testPicked"
    layers = (
        *_filled_cells(base.transform_filter("datum.state !== 'missing'")),
        _hatched_cells(base.transform_filter("datum.state === 'missing'")),
        base.transform_filter(picked).mark_rect(
            fill=None, stroke=VERMILLION, strokeWidth=4, aria=False
        ),
    )
    chart = alt.layer(*layers).properties(
        width={"step": 96 if len(names) <= 4 else 72},
        height={"step": 50},
        description="Train by test matrix",
    )
    return chart.add_params(_signal("trainPicked"), _signal("testPicked"))


def folds() -> Spec:
    """A point for each fold, the mean, and the own-set mean as a dotted rule.

    Rows of `folds`: fold, dice, aria; of `means`: dice, what ("mean" or "own set").
    """
    data = alt.Chart(alt.NamedData("folds"))
    points = data.mark_point(filled=True, size=80, color=BLUE, opacity=1).encode(
        x=_dice(), y=alt.Y("fold:O", title="fold"), tooltip=_tip(), description="aria:N"
    )
    rules = (
        alt.Chart(alt.NamedData("means"))
        .mark_rule(strokeWidth=1.5, color=INK)
        .encode(
            x="dice:Q",
            strokeDash=alt.StrokeDash("what:N", title=None)
            .scale(range=[[1, 0], [2, 3]])
            .legend(orient="top", symbolStrokeColor=INK, symbolType="stroke"),
        )
    )
    return _spec(
        alt.layer(rules, points).properties(
            width="container", height=100, description="Dice of each fold"
        )
    )


def images() -> Spec:
    """The images of the test set, worst first: a faint point per fold, a tick for their mean.

    Rows of `images`: image, place (its rank), dice, aria; of `image_means`: the same, one an image.
    """
    y = alt.Y("image:N", sort=alt.EncodingSortField("place", op="min"), title=None).axis(
        labelLimit=190, labelFontSize=11
    )
    points = (
        alt.Chart(alt.NamedData("images"))
        .mark_point(filled=True, size=26, color=BLUE, opacity=0.7, aria=False)
        .encode(x=_dice(), y=y, tooltip=_tip())
    )
    means = (
        alt.Chart(alt.NamedData("image_means"))
        .mark_tick(thickness=2, color=INK, height=10)
        .encode(x=_dice(), y=y, tooltip=_tip(), description="aria:N")
    )
    return _spec(
        alt.layer(points, means).properties(
            width="container", height=180, description="Dice of each test image"
        )
    )


def curves() -> Spec:
    """Training and validation loss by epoch, a line per fold; the epoch kept is marked.

    Rows of `curves`: fold, epoch, loss, part ("training" or "validation"), kept.
    """
    parts = ["training", "validation"]
    data = alt.Chart(alt.NamedData("curves"))
    color = (
        alt.Color("part:N", title=None)
        .scale(domain=parts, range=[BLUE, VERMILLION])
        .legend(orient="top", symbolType="stroke")
    )
    dash = alt.StrokeDash("part:N", title=None).scale(domain=parts, range=[[1, 0], [5, 2]])
    whole = "datum.value % 1 ? '' : format(datum.value, 'd')"
    x = alt.X("epoch:Q", title="epoch").axis(labelExpr=whole, grid=False)
    y = alt.Y("loss:Q", title="cross-entropy [nat]").scale(zero=False)
    lines = data.mark_line(strokeWidth=1.4, opacity=0.8).encode(
        x=x, y=y, color=color, strokeDash=dash, detail="fold:O"
    )
    kept = (
        data.transform_filter("datum.kept")
        .mark_point(filled=True, size=45)
        .encode(x=x, y=y, color=color, tooltip=_tip())
    )
    return _spec(
        alt.layer(lines, kept).properties(
            width="container", height=190, description="Loss by epoch, one line per fold"
        )
    )


def sweep(setting: str) -> Spec:
    """Dice over a swept setting, a line for each test set, its own set dotted; by training set.

    Rows of `rows`: value, train, test, dice, low, high, own, aria.
    """
    data = alt.Chart(alt.NamedData("rows"))
    color = alt.Color("test:N", title="tested on").scale(range=PALETTE)
    x = alt.X("value:Q", title=setting)
    y = alt.Y("dice:Q", title="dice").scale(zero=False)
    band = data.mark_area(opacity=0.15, aria=False).encode(x=x, y="low:Q", y2="high:Q", color=color)
    line = data.mark_line(strokeWidth=2, aria=False).encode(x=x, y=y, color=color)
    points = data.mark_point(filled=True, size=50, opacity=1).encode(
        x=x, y=y, color=color, tooltip=_tip(), description="aria:N"
    )
    own = data.mark_rule(strokeDash=[2, 3], strokeWidth=1.5, aria=False).encode(
        y="mean(own):Q", color=color
    )
    layers = alt.layer(band, own, line, points).properties(width=420, height=260)
    return _spec(layers.facet(alt.Facet("train:N", title="trained on").header(**HEADER), columns=2))


def bars(by: str | None) -> Spec:
    """Bars of dice by variant, training part beside held-out part.

    Rows of `rows`: variant, dataset, part, dice, low, high, aria; `by` is a column of panels.
    """
    data = alt.Chart(alt.NamedData("rows"))
    parts = ["trained on", "held out"]
    x = alt.X("variant:N", title=None, sort=None).axis(labelAngle=0)
    offset = alt.XOffset("part:N", sort=parts)
    y = alt.Y("dice:Q", title="dice").scale(domain=[0, 1])
    color = (
        alt.Color("part:N", title=None)
        .scale(domain=parts, range=[BLUE, VERMILLION])
        .legend(orient="top")
    )
    bar = data.mark_bar().encode(
        x=x, xOffset=offset, y=y, color=color, tooltip=_tip(), description="aria:N"
    )
    spread = data.mark_rule(color=INK, strokeWidth=1.5, aria=False).encode(
        x=x, xOffset=offset, y="low:Q", y2="high:Q"
    )
    layers = alt.layer(bar, spread).properties(width={"step": 44}, height=240)
    if by is None:
        return _spec(layers)
    return _spec(layers.facet(alt.Facet(f"{by}:N", title=None).header(**HEADER), columns=3))


def over_noise(name: str) -> Spec:
    """A statistic of images over the strength of added noise, a line for each dataset.

    Rows of `rows`: rho, y, dataset, variant, aria.
    """
    data = alt.Chart(alt.NamedData("rows"))
    line = data.mark_line(point=alt.OverlayMarkDef(filled=True, size=40)).encode(
        x=alt.X("rho:Q", title="added noise rho [sd]"),
        y=alt.Y("y:Q", title=name).scale(zero=False),
        color=alt.Color("dataset:N", title=None).scale(range=PALETTE),
        tooltip=_tip(),
    )
    return _spec(line.properties(width=420, height=240))


def histograms() -> Spec:
    """Shares of pixels by intensity, particle and background, a panel each variant and dataset.

    Rows of `rows`: panel, intensity, part, share.
    """
    data = alt.Chart(alt.NamedData("rows"))
    line = data.mark_line(interpolate="step", strokeWidth=1.5).encode(
        x=alt.X("intensity:Q", title="prepared intensity"),
        y=alt.Y("share:Q", title="share of pixels"),
        color=alt.Color("part:N", title=None)
        .scale(domain=["background", "particle"], range=[BLUE, VERMILLION])
        .legend(orient="top"),
    )
    chart = line.properties(width=260, height=180).facet(
        alt.Facet("panel:N", title=None, sort=None).header(**HEADER), columns=3
    )
    return _spec(chart.resolve_scale(x="independent", y="independent"))


def _filled_cells(base: alt.Chart) -> tuple[alt.Chart, ...]:
    """Colour, score and spread of the cells that have a score."""
    color = alt.Color("value:Q", title=None).scale(scheme="cividis", domain=[0, 1], clamp=True)
    ink = alt.expr(CELL_INK)
    score = base.mark_text(fontSize=14, dy=-6, aria=False, fill=ink, fontWeight=600)
    spread = base.mark_text(fontSize=11, dy=10, aria=False, fill=ink)
    return (
        base.mark_rect(cursor="pointer").encode(color=color, description="aria:N", tooltip=_tip()),
        score.encode(text="text:N"),
        spread.encode(text="spread:N"),
    )


def _hatched_cells(base: alt.Chart) -> alt.Chart:
    hatched: alt.Chart = base.mark_rect(cursor="pointer", color=_stripes(), stroke=STRIPE)
    return hatched.encode(description="aria:N", tooltip=_tip())


def _dice() -> alt.X:
    return alt.X("dice:Q", title="dice").scale(zero=False, nice=True).axis(tickCount=6)


def _tip() -> alt.Tooltip:
    return alt.Tooltip("aria:N", title=" ")


def _signal(name: str) -> alt.Parameter:
    return alt.param(name=name, value="")


def _stripes() -> Spec:
    """A hatching, as a linear gradient with hard stops: Vega has no patterns."""
    n = 7
    stops = []
    for i in range(n):
        for part, color in ((0, "#9a9a9a66"), (1, "#9a9a9a14")):
            start, end = (2 * i + part) / (2 * n), (2 * i + part + 1) / (2 * n)
            stops += [{"offset": start, "color": color}, {"offset": end, "color": color}]
    return {"gradient": "linear", "x1": 0, "y1": 0, "x2": 1, "y2": 1, "stops": stops}


def _spec(chart: alt.Chart | alt.LayerChart | alt.FacetChart) -> Spec:
    spec: Spec = chart.to_dict(validate=False)
    spec.pop("config", None)  # the page gives every chart the same
    return spec
