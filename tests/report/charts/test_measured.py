"""What is drawn of measured images."""

from __future__ import annotations

from dataclasses import replace

from studyspec.report.charts.histograms import HISTOGRAMS
from studyspec.report.charts.statistics import CONTRAST, ROUGHNESS
from studyspec.report.frames import Frame, HistogramRow, StatisticsRow
from tests.report.examples import frames


def test_statistics_are_drawn_over_noise() -> None:
    rows = [StatisticsRow("base", "A", rho, 2, 8, 0.3, 0.1, 0.1, None) for rho in (0.0, 1.0)]
    made = replace(frames(("A",)), statistics=Frame(rows))
    (contrast,), (roughness,) = CONTRAST.draw(made), ROUGHNESS.draw(made)
    assert [(row["rho"], row["contrast"]) for row in contrast.rows] == [(0.0, 0.3), (1.0, 0.3)]
    assert roughness.rows == ()


def test_one_strength_of_noise_is_no_chart() -> None:
    made = replace(
        frames(("A",)),
        statistics=Frame([StatisticsRow("base", "A", 0.0, 2, 8, 0.3, 0.1, 0.1, 0.1)]),
    )
    assert list(CONTRAST.draw(made)) == []


def test_histograms_are_shares_of_their_part() -> None:
    bins = [HistogramRow("base", "A", low, low + 1, 3, 1) for low in (-1.0, 0.0)]
    (chart,) = HISTOGRAMS.draw(replace(frames(("A",)), histograms=Frame(bins)))
    assert [row["share"] for row in chart.rows] == [0.5] * 4
