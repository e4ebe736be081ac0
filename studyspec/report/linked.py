"""The charts that clicks link: the matrix, and folds, images and curves of one cell.

Vega-Lite over named data, without numbers of a study: the page gives each chart its rows by name,
so that the data stand in the page once, and the charts of folds and images their height, so that a
row is as high whatever their number.
"""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from studyspec.plugins.contracts import Row, Spec
from studyspec.report.theme import BLUE, INK, VERMILLION, spec_of, tip

STRIPE = "#9a9a9a"
# The darker or lighter of the two inks always has a contrast of at least 4.58 with the cell.
CELL_INK = "luminance(scale('color', datum.value)) > 0.179 ? 'black' : 'white'"
PARTS = ["training", "validation"]


def matrix(
    names: Sequence[str],
    low: float = 0.0,
    high: float = 1.0,
    reverse: bool = False,
    title: str = "Dice",
) -> Spec:
    """The specification of `matrix_chart` over the named data `cells`.

    `low`, `high` and `reverse` are the scale of colours, and signals of these names; `title` is
    that of its bar.
    """
    scale = (alt.param(name="low", value=low), alt.param(name="high", value=high))
    chart = matrix_chart(names, alt.NamedData("cells"), title)
    return spec_of(chart.add_params(*scale, alt.param(name="reverse", value=reverse)))


def drawn_matrix(names: Sequence[str], cells: Sequence[Row]) -> alt.LayerChart | alt.FacetChart:
    """The chart of the matrix with its rows, for a notebook."""
    chart = matrix_chart(names, alt.InlineData(values=[dict(cell) for cell in cells]))
    scale = (alt.param(name="low", value=0.0), alt.param(name="high", value=1.0))
    return chart.add_params(*scale, alt.param(name="reverse", value=False))


def matrix_chart(
    names: Sequence[str], data: alt.InlineData | alt.NamedData, title: str = "Dice"
) -> alt.LayerChart | alt.FacetChart:
    """The train x test matrix: colour and three lines of text; a missing cell is hatched.

    Rows of `cells`: train, test, value, text, spread, interval, state (done, part or missing),
    aria. `names` is the order of rows and columns. The signals `trainPicked` and `testPicked`
    outline a cell.
    """
    turned = any(len(name) > 9 for name in names)
    x = alt.X("test:N", sort=list(names), title="tested on").axis(
        orient="top", labelAngle=-30 if turned else 0, labelLimit=130, ticks=False, domain=False
    )
    y = alt.Y("train:N", sort=list(names), title="trained on").axis(ticks=False, domain=False)
    base = alt.Chart(data).encode(x=x, y=y)
    picked = "datum.train === trainPicked && datum.test === testPicked"
    layers = (
        *_filled_cells(base.transform_filter("datum.state !== 'missing'"), title),
        _hatched_cells(base.transform_filter("datum.state === 'missing'")),
        base.transform_filter(picked).mark_rect(
            fill=None, stroke=VERMILLION, strokeWidth=4, aria=False
        ),
    )
    chart = alt.layer(*layers).properties(
        width={"step": 96 if len(names) <= 4 else 72},
        height={"step": 62},
        description="Train by test matrix",
    )
    return chart.add_params(_signal("trainPicked"), _signal("testPicked"))


def folds() -> Spec:
    """A point for each fold, the mean, and the own-set mean as a dotted rule.

    Rows of `folds`: fold, dice, aria; of `means`: dice, what ("mean" or "own set").
    """
    points = (
        alt.Chart(alt.NamedData("folds"))
        .mark_point(filled=True, size=80, color=BLUE, opacity=1)
        .encode(x=dice_axis(), y=alt.Y("fold:O", title="fold"), tooltip=tip(), description="aria:N")
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
    return spec_of(
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
        .encode(x=dice_axis(), y=y, tooltip=tip())
    )
    means = (
        alt.Chart(alt.NamedData("image_means"))
        .mark_tick(thickness=2, color=INK, height=10)
        .encode(x=dice_axis(), y=y, tooltip=tip(), description="aria:N")
    )
    return spec_of(
        alt.layer(points, means).properties(
            width="container", height=180, description="Dice of each test image"
        )
    )


def curves(unit: str = "epoch") -> Spec:
    """The specification of `curves_chart`, as wide as its place."""
    chart = curves_chart(unit).properties(
        width="container", height=190, description=f"Loss by {unit}, one line per fold"
    )
    return spec_of(chart)


def curves_chart(unit: str = "epoch") -> alt.LayerChart | alt.FacetChart:
    """Training and validation loss by epoch, or step; a line per fold; what was kept is marked.

    Rows of `curves`: fold, at (epoch or step), loss, part ("training" or "validation"), kept, aria.
    """
    data = alt.Chart(alt.NamedData("curves"))
    color = (
        alt.Color("part:N", title=None)
        .scale(domain=PARTS, range=[BLUE, VERMILLION])
        .legend(orient="top", symbolType="stroke")
    )
    dash = alt.StrokeDash("part:N", title=None).scale(domain=PARTS, range=[[1, 0], [5, 2]])
    whole = "datum.value % 1 ? '' : format(datum.value, 'd')"
    x = alt.X("at:Q", title=unit).axis(labelExpr=whole, grid=False)
    y = alt.Y("loss:Q", title="loss").scale(zero=False)
    lines = data.mark_line(strokeWidth=1.4, opacity=0.8).encode(
        x=x, y=y, color=color, strokeDash=dash, detail="fold:O"
    )
    kept = (
        data.transform_filter("datum.kept")
        .mark_point(filled=True, size=45)
        .encode(x=x, y=y, color=color, tooltip=tip())
    )
    return alt.layer(lines, kept)


def _filled_cells(base: alt.Chart, title: str) -> tuple[alt.Chart, ...]:
    """Colour, score and spread of the cells that have a score."""
    color = alt.Color("value:Q", title=title, legend=alt.Legend(format=".2f")).scale(
        scheme="cividis",
        domainMin=alt.ExprRef("low"),
        domainMax=alt.ExprRef("high"),
        reverse=alt.ExprRef("reverse"),
        clamp=True,
    )
    ink = alt.expr(CELL_INK)
    score = base.mark_text(fontSize=14, dy=-14, aria=False, fill=ink, fontWeight=600)
    spread = base.mark_text(fontSize=11, dy=3, aria=False, fill=ink)
    interval = base.mark_text(fontSize=10, dy=19, aria=False, fill=ink)
    return (
        base.mark_rect(cursor="pointer").encode(color=color, description="aria:N", tooltip=tip()),
        score.encode(text="text:N"),
        spread.encode(text="spread:N"),
        interval.encode(text="interval:N"),
    )


def _hatched_cells(base: alt.Chart) -> alt.Chart:
    hatched: alt.Chart = base.mark_rect(cursor="pointer", color=_stripes(), stroke=STRIPE)
    return hatched.encode(description="aria:N", tooltip=tip())


def dice_axis() -> alt.X:
    """The axis of dice."""
    return alt.X("dice:Q", title="dice").scale(zero=False, nice=True).axis(tickCount=6)


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
