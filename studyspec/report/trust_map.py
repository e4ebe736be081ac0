"""A map of conditions: the expected dice over any two columns, and where nobody has been. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import altair as alt

from studyspec.plugins.contracts import Drawing, Row
from studyspec.report.theme import INK, VERMILLION, rows, spec_of, tip

COLUMNS: Mapping[str, tuple[str, str]] = {
    "dose": ("dose_e_per_A2", "e/Å²"),
    "pixel scale": ("pixel_scale_nm", "nm/px"),
    "diameter": ("diameter_nm", "nm"),
    "material": ("material", ""),
    "defocus": ("defocus_nm", "nm"),
    "session": ("session", ""),
}
"""What a map may be drawn over: the word for people, the catalog's column, and its unit."""
ALIKE = 0.6
"""Values further apart than this (a factor 1.8) are not like each other."""
LEAST_WEIGHT = 0.05


@dataclass(frozen=True)
class Place:
    """A condition where networks were tested (with a dice) or trained (without).

    `values` are those of the catalog's columns, None where unknown.
    """

    values: Mapping[str, object]
    dice: float | None = None
    n: int = 1


def drawing(places: Sequence[Place], name: str = "map") -> Drawing | None:
    """A map of all places, with two menus of columns; None if no two columns have two values."""
    varied = [word for word in COLUMNS if len(_known(word, places)) > 1]
    pairs = list(combinations(varied, 2))
    found = tuple(row for pair in pairs for row in _cells(pair, places))
    if not found:
        return None
    return Drawing(
        name=name,
        title="Where networks were tested",
        caption="Expected dice over two columns: the mean where networks were tested (dots), else "
        "of what lies near, nearer counting more. A ring: networks were trained there. Empty: "
        "nobody has been there, nor near. Rows and columns without a value are left out.",
        spec=_spec([f"{x} × {y}" for x, y in pairs]),
        rows=found,
    )


def _spec(pairs: Sequence[str]) -> dict[str, object]:
    menu = alt.binding_select(options=list(pairs), name="over ")
    chosen = alt.param(name="pair", value=pairs[0], bind=menu)
    x = alt.X("x:N", title=None, sort=alt.EncodingSortField("x_rank", op="min"))
    y = alt.Y("y:N", title=None, sort=alt.EncodingSortField("y_rank", op="min"))
    color = alt.Color("dice:Q", title="expected dice").scale(scheme="viridis", domain=[0, 1])
    cells = rows().mark_rect(stroke="#8884").encode(x=x, y=y, color=color, tooltip=tip(),
                                                    description="aria:N")  # fmt: skip
    dots = (
        rows()
        .transform_filter("datum.tested > 0")
        .mark_point(filled=True, size=40, color=VERMILLION, opacity=1, stroke="white", aria=False)
    )
    rings = (
        rows()
        .transform_filter("datum.trained > 0")
        .mark_point(filled=False, size=170, color=INK, strokeWidth=2, aria=False)
    )
    layers = alt.layer(cells, dots.encode(x=x, y=y), rings.encode(x=x, y=y))
    chart = layers.add_params(chosen).transform_filter("datum.pair == pair")
    return dict(spec_of(chart.properties(width=alt.Step(70), height=alt.Step(34))))


def _cells(pair: tuple[str, str], places: Sequence[Place]) -> Iterator[Row]:
    """Every combination of the values of two columns."""
    xs, ys = (_known(word, places) for word in pair)
    for (i, x), (j, y) in product(enumerate(xs), enumerate(ys)):
        here = [p for p in places if _at(p, pair, (x, y))]
        tested = [p for p in here if p.dice is not None]
        trained = len(here) - len(tested)
        dice = _mean(tested) if tested else _nearby(pair, (x, y), places)
        told = _told(dice, sum(p.n for p in tested), trained)
        labels = [_label(word, value) for word, value in zip(pair, (x, y), strict=True)]
        yield {
            "pair": f"{pair[0]} × {pair[1]}",
            "x": labels[0],
            "y": labels[1],
            "x_rank": i,
            "y_rank": j,
            "dice": dice,
            "tested": sum(p.n for p in tested),
            "trained": trained,
            "aria": f"{labels[0]}, {labels[1]}: {told}",
        }


def _told(dice: float | None, tested: int, trained: int) -> str:
    if dice is None:
        return "nobody has been here" + (", but networks were trained" if trained else "")
    return f"dice {dice:.2f}, " + (
        f"{tested} scores" if tested else "not tested, from what is near"
    )


def _known(word: str, places: Sequence[Place]) -> list[object]:
    """The values of a column in order."""
    column, _ = COLUMNS[word]
    found = {p.values.get(column) for p in places} - {None}
    return sorted(found, key=lambda v: (isinstance(v, str), v))


def _at(place: Place, pair: tuple[str, str], values: tuple[object, object]) -> bool:
    return all(
        place.values.get(COLUMNS[word][0]) == value
        for word, value in zip(pair, values, strict=True)
    )


def _nearby(
    pair: tuple[str, str], values: tuple[object, object], places: Sequence[Place]
) -> float | None:
    """The mean of what lies near, by its distance; None if nothing does."""
    near = []
    for place in places:
        if place.dice is None:
            continue
        away = _distance(pair, values, place)
        if away <= ALIKE:
            near.append((math.exp(-((away / ALIKE) ** 2)) * place.n, place.dice))
    total = sum(weight for weight, _ in near)
    return sum(weight * dice for weight, dice in near) / total if total > LEAST_WEIGHT else None


def _distance(pair: tuple[str, str], values: tuple[object, object], place: Place) -> float:
    total = 0.0
    for word, value in zip(pair, values, strict=True):
        own = place.values.get(COLUMNS[word][0])
        if own is None:
            return math.inf
        total += _apart(value, own, word) ** 2
    return math.sqrt(total)


def _apart(one: object, other: object, word: str) -> float:
    if one == other:
        return 0.0
    if not isinstance(one, int | float) or not isinstance(other, int | float):
        return math.inf
    if word == "defocus":
        return abs(one - other) / 20
    return abs(math.log(one / other)) if one > 0 and other > 0 else math.inf


def _mean(places: Sequence[Place]) -> float:
    return sum((p.dice or 0.0) * p.n for p in places) / sum(p.n for p in places)


def _label(word: str, value: object) -> str:
    unit = COLUMNS[word][1]
    return f"{value:g} {unit}" if isinstance(value, int | float) else str(value)
