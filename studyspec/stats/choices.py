"""What a claim chooses: cells, the best point of a sweep, or the slope over something."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import JsonValue

from studyspec.spec.claims import Selector, Trend
from studyspec.spec.derived import Derived, quantity
from studyspec.stats.contrasts import resampled_means
from studyspec.stats.differences import (
    Difference,
    Piece,
    based_on,
    lacking,
    mean_of,
    value_of,
)
from studyspec.stats.intervals import Floats, Resampled
from studyspec.stats.quantities import of_cell
from studyspec.stats.scores import CellName, Scores
from studyspec.stats.selection import select

BOOTSTRAP = "two-way bootstrap"
SEED = 20230


@dataclass(frozen=True)
class Choice:
    """The pieces of one side, or why there are none; `note` says how the best was found.

    `scores` are those that the pieces are of, where cells were made for them. `points` are the
    pieces of each point of a sweep, of which the best was to be found; `high` if that is the
    highest.
    """

    pieces: Sequence[Piece] = ()
    reason: str = ""
    note: str = ""
    scores: Scores | None = None
    points: Sequence[Sequence[Piece]] = ()
    high: bool = True


def chosen(selector: Selector, scores: Scores, sign: int) -> Choice:
    """The cells that a selector names; of a sweep with `best_over`, its best point."""
    names = scores.chosen(selector)
    if not names:
        return Choice(reason="no cell of the study is chosen")
    if selector.best_over is None:
        return Choice(mean_of(names, selector.metric, sign))
    points = _points(selector.best_over, names, scores)
    if not points:
        return Choice(reason=f"{selector.best_over} is not swept there")
    reason = lacking(scores, mean_of([n for its in points.values() for n in its], selector.metric))
    if reason:
        return Choice(reason=reason)
    better = -1 if quantity(selector.metric).better == "lower" else 1
    told = of_cell(selector.metric)
    each = [mean_of(its, selector.metric, sign) for its in points.values()]
    if told.of_images and len(points) > 1:
        found = select(points, told.of_images, better, scores)
        pieces = mean_of(found.names, selector.metric, sign)
        return Choice(pieces, "", found.note, found.scores, each, better == 1)

    def score(variant: str) -> float:
        values = [value_of(scores, name, selector.metric) for name in points[variant]]
        return better * float(np.mean(values))

    best = max(points, key=score)
    note = f"{best} is the best of {len(points)} points, by the same scores: its lead is flattered"
    pieces = mean_of(points[best], selector.metric, sign)
    return Choice(pieces, "", note, None, each, better == 1)


def slope(trend: Trend, names: Sequence[CellName], metric: str, scores: Scores) -> Choice:
    """The least-squares slope of the cells over something, as weights."""
    at = [(name, abscissa(trend, name, scores)) for name in names]
    known = [(name, x) for name, x in at if x is not None]
    values = [x for _, x in known]
    if len(set(values)) < 2:
        return Choice(reason=f"{trend.over} takes fewer than two known values")
    center = sum(values) / len(values)
    spread = sum((x - center) ** 2 for x in values)
    return Choice([Piece(name, (x - center) / spread, metric) for name, x in known])


def best_setting(selectors: Mapping[int, Selector], scores: Scores) -> Difference | str:
    """The sum, by sign, of the settings at which sweeps are best; or why there is none.

    An argmax has no standard error: micrographs and networks are drawn anew, all sweeps together.
    """
    pieces: list[Piece] = []
    sweeps: list[tuple[int, Floats, int]] = []
    for sign, selector in selectors.items():
        points = _points(selector.best_over or "", scores.chosen(selector), scores)
        told = quantity(selector.metric)
        if not points or isinstance(told, Derived) or told.better != "higher":
            return "the best setting is found for a score of a sweep that should be high"
        at = [_number(scores.variants[variant][selector.best_over or ""]) for variant in points]
        if None in at:
            return f"{selector.best_over} takes values that are no numbers"
        names = [name for its in points.values() for name in its]
        sweeps.append((sign, np.array(at, np.float64), len(names) // len(points)))
        pieces += mean_of(names, selector.metric)
    if reason := lacking(scores, pieces):
        return reason
    cells = [scores.weighted(name, metric, 1.0) for name, _, metric in pieces]
    means = np.array([[cell.mean for cell in cells]])
    drawn = resampled_means(cells, np.random.default_rng(SEED))
    estimate = Resampled(float(_settings(means, sweeps)[0]), _settings(drawn, sweeps))
    return based_on(cells, estimate, BOOTSTRAP)


def _settings(means: Floats, sweeps: Sequence[tuple[int, Floats, int]]) -> Floats:
    """The best settings, summed by sign, for each row of the cells' means."""
    total, start = np.zeros(len(means)), 0
    for sign, at, width in sweeps:
        end = start + len(at) * width
        by_point = means[:, start:end].reshape(len(means), len(at), width).mean(axis=2)
        total += sign * at[by_point.argmax(axis=1)]
        start = end
    return total


def _points(setting: str, names: Sequence[CellName], scores: Scores) -> dict[str, list[CellName]]:
    """The cells of each variant that gives a setting a value."""
    points: dict[str, list[CellName]] = {}
    for name in names:
        if setting in scores.variants.get(name.variant, {}):
            points.setdefault(name.variant, []).append(name)
    return points


def abscissa(trend: Trend, name: CellName, scores: Scores) -> float | None:
    """The value of a swept setting, or of a column of the training or the test set.

    The ratio is that of the larger to the smaller: how far apart they are.
    """
    setting = scores.variants.get(name.variant, {}).get(trend.over)
    if setting is not None:
        return _number(setting)
    trained = scores.columns.get(name.train, {}).get(trend.over)
    tested = scores.columns.get(name.test, {}).get(trend.over)
    if trend.of == "test":
        return tested
    if trend.of == "train":
        return trained
    if not trained or not tested:
        return None
    return max(trained, tested) / min(trained, tested)


def _number(value: JsonValue) -> float | None:
    return float(value) if isinstance(value, int | float) else None
