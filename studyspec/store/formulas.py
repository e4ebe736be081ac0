"""Formulas: from the registry of metrics to SQL. The one place where scores are computed.

A metric is a formula over sums; a sum is an expression over the counts of one patch, added up over
the patches of an image or of a test set. A plug-in whose SQL is wrong is told of and left out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import duckdb

from studyspec.jobs.evaluate import ScoreColumns
from studyspec.plugins.contracts import CountMetric, Metric, PixelMetric
from studyspec.plugins.registry import METRICS, OURS
from studyspec.store.sql_types import Column, elements, quoted, text

PLACE = ("image", "row", "col", "orientation")
COUNTS = tuple(
    c for c in elements(ScoreColumns) if c.name not in PLACE and not c.kind.startswith("MAP")
)
"""What is always counted of a patch."""
COUNTED = tuple(c for c in COUNTS if "INT" in c.kind)
"""Of these the whole numbers, whose sums are exact in any order."""
PIXEL_SUMS = tuple(c for c in elements(ScoreColumns) if c.kind.startswith("MAP"))
CELL = ("study", "profile", "variant", "train", "test", "fold", "split")
KEYS = ("network", "evaluation")
TAKEN = frozenset((*CELL, *KEYS, "n", "n_patches", "image_id", "metric", "folds"))
NORMALIZED_BY = "dice"
"""The metric whose mean over the folds is told as a share of the own set's."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sum:
    """A sum over patches: its name, and the expression over one patch; null if any is null."""

    name: str
    expression: str

    @property
    def declared(self) -> str:
        """As a table's definition has it."""
        return f"{quoted(self.name)} double"

    def total(self, order: str, expression: str = "") -> str:
        """The sum over patches, or over sums, added up in this order: else its bits would vary."""
        one = f"({expression or quoted(self.name)})"
        by = "" if self.name in _names(COUNTED) else f" order by {order}"
        whole = f"case when count({one}) = count(*) then sum({one}{by}) end"
        return f"({whole})::double as {quoted(self.name)}"


@dataclass(frozen=True)
class Formulas:
    """All metrics, and the sums that they are made of.

    Attributes
    ----------
    metrics
        Those whose SQL is right, in the registry's order.
    """

    metrics: tuple[Metric, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the metrics."""
        return tuple(metric.name for metric in self.metrics)

    @property
    def pixels(self) -> tuple[str, ...]:
        """The names of what metrics over pixels count."""
        return tuple(dict.fromkeys(name for one in self.metrics for name in _pixels(one)))

    @property
    def sums(self) -> tuple[Sum, ...]:
        """All sums: the counts, those over pixels, and what metrics make of both for a patch."""
        plain = [Sum(name, quoted(name)) for name in (*_names(COUNTS), *self.pixels)]
        made = [Sum(n, e) for metric in self.metrics for n, e in metric.patch_sums.items()]
        return tuple({one.name: one for one in (*plain, *made)}.values())

    def columns(self) -> str:
        """The metrics as columns of a select from sums."""
        return ", ".join(f"({m.formula})::double as {quoted(m.name)}" for m in self.metrics)

    def patches(self, source: str) -> str:
        """The patches of a query with what metrics over pixels counted as columns."""
        return _with_pixels(self.pixels, source)


def formulas() -> Formulas:
    """The metrics that are installed."""
    return _usable(METRICS.names)


@lru_cache(maxsize=8)
def _usable(names: tuple[str, ...]) -> Formulas:
    usable = Formulas(())
    with duckdb.connect(":memory:") as scratch:
        for one in map(METRICS.find, names):
            ours = one.provider.distribution == OURS
            reason = "" if ours else _fault(one.plugin, usable, scratch)
            if reason:
                named = f"metric '{one.plugin.name}' of {one.provider} ({one.place})"
                log.warning("%s is left out: %s", named, reason)
            else:
                usable = Formulas((*usable.metrics, one.plugin))
    return usable


def _fault(metric: Metric, found: Formulas, scratch: duckdb.DuckDBPyConnection) -> str:
    """Why a metric cannot be used beside those found; empty if it can."""
    known = {one.name.lower(): one.expression for one in found.sums}
    if metric.name.lower() in {*TAKEN, *known, *(name.lower() for name in found.names)}:
        return "its name is taken by a column of the views"
    if isinstance(metric, CountMetric) and metric.counted_by not in ("", *METRICS.names):
        return f"there is no metric '{metric.counted_by}' to count it"
    for name, expression in metric.patch_sums.items():
        if name.lower() in TAKEN or known.get(name.lower(), expression) != expression:
            return f"its sum '{name}' is taken by another"
    try:
        for statement in _trials(metric):
            scratch.execute(statement)
    except duckdb.Error as error:
        return f"its SQL is wrong: {str(error).splitlines()[0]}"
    return ""


def _trials(metric: Metric) -> Iterator[str]:
    """Statements that fail if the SQL of a metric is wrong, or no expression over a row."""
    counts = ", ".join(f"1::{column.kind} as {quoted(column.name)}" for column in COUNTS)
    pixels = [f"0.5::double as {quoted(name)}" for name in _pixels(metric)]
    patch = f"select {', '.join((counts, *pixels))}"
    for expression in metric.patch_sums.values():
        yield f"select tp, ({expression})::double from ({patch})"
    alone = Formulas((metric,))
    sums = ", ".join(f"1.0::double as {quoted(one.name)}" for one in alone.sums)
    yield f"select n, ({metric.formula})::double from (select 1::double as n, {sums})"


def _with_pixels(names: Iterable[str], source: str) -> str:
    [held] = _names(PIXEL_SUMS)
    more = "".join(f", {held}[{text(name)}] as {quoted(name)}" for name in names)
    return f"(select *{more} from ({source}))"


def _pixels(metric: Metric) -> tuple[str, ...]:
    """The names of the sums over pixels that a metric is a formula of."""
    if isinstance(metric, CountMetric) and metric.counted_by:
        metric = METRICS.get(metric.counted_by)
    return tuple(metric.sums) if isinstance(metric, PixelMetric) else ()


def _names(some: Iterable[Column]) -> tuple[str, ...]:
    return tuple(column.name for column in some)
