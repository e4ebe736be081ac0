from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from studyspec.plugins.contracts import Chart, Drawing, Row, Spec
from studyspec.plugins.registry import Broken, Found, Provider, Registry
from studyspec.report import drawings
from studyspec.report.drawings import drawn, with_rows
from studyspec.report.frames import StudyFrames
from studyspec.report.page import render
from tests.report.examples import frames

SPEC: Spec = {"mark": "point", "encoding": {"x": {"field": "dice", "type": "quantitative"}}}
GOOD = Drawing("points", "Points", "All of them.", SPEC, ({"dice": 0.5},))
THEIRS = Provider("studyspec-extras", "1.2")


class Made(Chart):
    """A chart that draws what it is told, or raises it."""

    def __init__(self, name: str, *made: Drawing | Exception) -> None:
        self.name, self._made = name, made

    def draw(self, study: StudyFrames) -> Iterable[Drawing]:
        for one in self._made:
            if isinstance(one, Exception):
                raise one
            yield one


class Charts(Registry[Chart]):
    """Some charts, as if packages of others had brought them."""

    def __init__(self, *charts: Chart) -> None:
        super().__init__("chart", Chart)  # type: ignore[type-abstract]
        self._charts = charts

    def _entries(self) -> list[EntryPoint]:
        return []

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(chart.name for chart in self._charts)

    @property
    def broken(self) -> tuple[Broken, ...]:
        return (Broken("chart", "gone", THEIRS, "extras.charts", "ImportError: no module 'x'"),)

    def find(self, name: str) -> Found[Chart]:
        return Found(self._charts[self.names.index(name)], THEIRS, "extras.charts:IT")


def test_a_chart_of_others_is_drawn_over_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawings, "CHARTS", Charts(Made("spread", GOOD)))
    one, left_out = drawn(frames(("A",)))
    assert (one.name, one.package) == ("spread.points", "studyspec-extras 1.2: chart spread")
    assert one.drawing is not None
    spec = with_rows(one.drawing)
    assert (spec["data"], spec["datasets"]) == ({"name": "rows"}, {"rows": [{"dice": 0.5}]})
    assert "'gone' of studyspec-extras 1.2 (extras.charts) is left out" in left_out.failure


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (KeyError("no such column"), "failed: KeyError: 'no such column'"),
        (replace(GOOD, spec={"mark": object()}), "its specification is not JSON"),
        (replace(GOOD, spec={"mark": "point", "width": float("nan")}), "is not JSON"),
        (replace(GOOD, spec={"mark": "pint"}), "its specification is no Vega-Lite"),
        (replace(GOOD, spec={"hello": 1}), "its specification is no Vega-Lite"),
        (replace(GOOD, spec={**SPEC, "data": {"url": "https://a.b/c"}}), "data from elsewhere"),
        (replace(GOOD, rows=({"dice": [0.5]},)), "column 'dice' holds a list"),
        (replace(GOOD, rows=({"dice": np.int64(1)},)), "column 'dice' holds a int64"),
        (replace(GOOD, rows=({"dice": float("inf")},)), "column 'dice' holds inf"),
        (replace(GOOD, name="a/b"), "a name has letters"),
        ({"title": "x"}, "it drew a dict, not a Drawing"),
    ],
)
def test_a_chart_that_fails_costs_only_itself(
    made: Drawing | Exception, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    charts = Charts(Made("bad", GOOD, made), Made("good", GOOD))
    monkeypatch.setattr(drawings, "CHARTS", charts)
    bad, good, _ = drawn(frames(("A",)))
    assert bad.drawing is None
    assert bad.failure.startswith("extras.charts:IT: chart 'bad' of studyspec-extras 1.2 failed")
    assert told in bad.failure
    assert good.drawing is not None


def test_two_drawings_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawings, "CHARTS", Charts(Made("bad", GOOD, GOOD)))
    assert "two drawings of one name" in drawn(frames(("A",)))[0].failure


def test_names_of_different_charts_never_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    def named(chart: str, *names: str) -> Made:
        return Made(chart, *(replace(GOOD, name=name) for name in names))

    charts = Charts(named("a", "b-c", "a"), named("a-b", "c"), named("folds", "folds"))
    monkeypatch.setattr(drawings, "CHARTS", charts)
    names = [one.name for one in drawn(frames(("A",)))[:-1]]
    assert names == ["a.b-c", "a", "a-b.c", "folds.folds"]


def test_the_page_says_which_chart_failed_and_keeps_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bad: Row = {"dice": {}}
    charts = Charts(Made("bad", replace(GOOD, rows=(bad,))), Made("good", GOOD))
    monkeypatch.setattr(drawings, "CHARTS", charts)
    html = render([frames(("A",))])
    assert "chart &#39;bad&#39; of studyspec-extras 1.2 failed" in html
    assert 'data-chart="good.points"' in html
    assert "studyspec-extras 1.2: chart good" in html
