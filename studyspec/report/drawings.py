"""Drawings: what the charts make of a study, each checked; one that fails costs only itself."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import vl_convert
from pydantic import JsonValue

from studyspec.errors import PluginError, StudySpecError
from studyspec.plugins.contracts import Chart, Drawing, Row, Spec
from studyspec.plugins.guard import blamed, broken_promise
from studyspec.plugins.registry import CHARTS, OURS, Found
from studyspec.report.embedding import VEGA_LITE, Scalar
from studyspec.report.frames import StudyFrames
from studyspec.report.theme import ROWS

KIND = CHARTS.kind
LINKED = (
    "matrix",
    "folds",
    "images",
    "curves",
    "cells",
    "networks",
    "gallery",
    "micrographs",
    "patches",
)
"""Names that the page has for charts and data of its own."""
NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Drawn:
    """What came of a chart: a drawing under a name of its own, or why there is none.

    Attributes
    ----------
    name
        Of its data and its files, and no other's.
    drawing
        None if it failed.
    failure
        What went wrong, with chart and distribution.
    package
        The package of others that it is from, with the chart's name; empty if it is ours.
    """

    name: str
    drawing: Drawing | None = None
    failure: str = ""
    package: str = ""


def drawn(study: StudyFrames) -> list[Drawn]:
    """All drawings of a study in order, each failed chart in its place; left-out charts last."""
    found = [one for name in CHARTS.names for one in _draw(CHARTS.find(name), study)]
    return found + [Drawn(f"{KIND}.{one.name}", failure=one.text) for one in CHARTS.broken]


def with_rows(drawing: Drawing) -> Spec:
    """The specification of a drawing with its data."""
    return {**drawing.spec, "datasets": {ROWS: [dict(row) for row in drawing.rows]}}


def _draw(found: Found[Chart], study: StudyFrames) -> list[Drawn]:
    """The drawings of one chart, all or none."""
    chart = found.plugin.name
    try:
        with blamed(KIND, found):
            drawings = list(found.plugin.draw(study))
        if not NAME.fullmatch(chart):
            raise broken_promise(KIND, found, "its name may have letters, digits, '-' and '_'")
        names = [getattr(one, "name", None) for one in drawings]
        for number, one in enumerate(drawings):
            twice = names[number] in names[:number]
            if what := _fault(one) or ("two drawings of one name" if twice else ""):
                raise broken_promise(KIND, found, what)
    except PluginError as error:
        return [Drawn(chart, failure=error.text)]
    except StudySpecError as error:
        return [Drawn(chart, failure=broken_promise(KIND, found, error.text).text)]
    ours = found.provider.distribution == OURS
    package = "" if ours else f"{found.provider}: {KIND} {chart}"
    return [Drawn(_full_name(chart, one.name), _bound(one), package=package) for one in drawings]


def _full_name(chart: str, drawing: str) -> str:
    """That of chart and drawing, with a dot between, which no name has; once, if both are one."""
    return chart if chart == drawing and chart not in LINKED else f"{chart}.{drawing}"


def _bound(drawing: Drawing) -> Drawing:
    """The drawing with the data that its specification is over, if it does not say so."""
    return replace(drawing, spec={"data": {"name": ROWS}, **drawing.spec})


def _fault(drawing: object) -> str:
    """What is wrong with a drawing; empty if nothing is."""
    if not isinstance(drawing, Drawing):
        return f"it drew a {type(drawing).__name__}, not a Drawing"
    if not (isinstance(drawing.name, str) and NAME.fullmatch(drawing.name)):
        return f"drawing {drawing.name!r}: a name has letters, digits, '-' and '_'"
    texts = (drawing.title, drawing.caption, drawing.sql)
    if not all(isinstance(text, str) for text in texts):
        return f"drawing '{drawing.name}': title, caption and sql are texts"
    what = _spec_fault(drawing.spec) or next(_row_faults(drawing.rows), "")
    return f"drawing '{drawing.name}': {what}" if what else ""


def _spec_fault(spec: Spec) -> str:
    try:
        text = json.dumps(spec, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        return f"its specification is not JSON ({error})"
    if not isinstance(spec, Mapping):
        return "its specification is no table"
    if _asks_elsewhere(json.loads(text)):
        return "it asks for data from elsewhere, and a page is offline: give rows"
    try:
        whole = {"data": {"name": ROWS}, **json.loads(text), "datasets": {ROWS: []}}
        vl_convert.vegalite_to_vega(whole, vl_version=VEGA_LITE)
    except ValueError as error:
        lines = [line for line in str(error).splitlines() if not line.lstrip().startswith("at ")]
        return f"its specification is no Vega-Lite ({' '.join(lines)[:300]})"
    return ""


def _asks_elsewhere(spec: JsonValue) -> bool:
    """Whether any data of a specification has an address."""
    if isinstance(spec, list):
        return any(_asks_elsewhere(inner) for inner in spec)
    if not isinstance(spec, dict):
        return False
    data = spec.get("data")
    return (isinstance(data, dict) and "url" in data) or any(map(_asks_elsewhere, spec.values()))


def _row_faults(rows: tuple[Row, ...]) -> Iterator[str]:
    """Why rows are not flat, or hold what JSON has no word for."""
    for row in rows:
        if not isinstance(row, Mapping):
            yield f"a row is a {type(row).__name__}, not a table"
            continue
        for name, value in row.items():
            if not isinstance(name, str):
                yield f"a column is named {name!r}: expected text"
            elif not isinstance(value, Scalar):
                kind = type(value).__name__
                expected = "expected text, a number, true, false or None"
                yield f"column '{name}' holds a {kind}: {expected}"
            elif isinstance(value, float) and not math.isfinite(value):
                yield f"column '{name}' holds {value}, which is not JSON"
