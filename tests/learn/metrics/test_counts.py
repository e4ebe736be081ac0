"""Metrics are stated in SQL; where numpy states one too, the two give the same."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studyspec.learn.metrics import reference
from studyspec.plugins.contracts import CountMetric, Metric
from studyspec.plugins.registry import METRICS

COLUMNS = ("tp", "fp", "fn", "tn", "loss_sum", "soft_intersection", "soft_sum")
Patch = tuple[float, ...]
pixels = st.integers(0, 262_144)
patches = st.lists(
    st.tuples(
        pixels, pixels, pixels, pixels, st.floats(0, 1e5), st.floats(0, 1e5), st.floats(1, 1e5)
    ),
    min_size=1,
    max_size=20,
)
REFERENCES: dict[str, Callable[[dict[str, reference.Array]], float]] = {
    "dice": lambda c: reference.dice(c["tp"], c["fp"], c["fn"]),
    "dice_micro": lambda c: reference.dice_micro(c["tp"], c["fp"], c["fn"]),
    "soft_dice": lambda c: reference.soft_dice(c["soft_intersection"], c["soft_sum"]),
    "oversegmentation": lambda c: reference.oversegmentation(c["fp"], c["fn"]),
}


def by_sql(metric: Metric, rows: list[Patch]) -> float | None:
    """The metric over some patches, as a store would sum and score them."""
    given = ", ".join(str(tuple(row)) for row in rows)
    sums = [f"sum({name}) AS {name}" for name in COLUMNS]
    sums += [f"sum({what}) AS {name}" for name, what in metric.patch_sums.items()]
    query = (
        f"WITH patch({', '.join(COLUMNS)}) AS (VALUES {given}), "
        f"total AS (SELECT count(*) AS n, {', '.join(sums)} FROM patch) "
        f"SELECT {metric.formula} FROM total"
    )
    row = duckdb.sql(query).fetchone()
    assert row is not None
    return None if row[0] is None else float(row[0])


@pytest.mark.parametrize("name", REFERENCES)
@given(rows=patches)
@settings(deadline=None, max_examples=40)
def test_sql_and_numpy_give_the_same(name: str, rows: list[Patch]) -> None:
    found = by_sql(METRICS.get(name), rows)
    counts = {column: np.array([row[i] for row in rows]) for i, column in enumerate(COLUMNS)}
    expected = REFERENCES[name](counts)
    assert found == (None if np.isnan(expected) else pytest.approx(expected, rel=1e-9))


def test_every_metric_that_numpy_states_is_held_to_it() -> None:
    stated = {name for name, value in vars(reference).items() if callable(value)}
    assert {name for name in stated if name in METRICS.names} == set(REFERENCES)


@pytest.mark.parametrize("name", ["precision", "recall", "loss"])
def test_the_others_are_what_they_mean(name: str) -> None:
    expected = {"precision": 3 / 4, "recall": 3 / 5, "loss": 2.5 / 10}
    rows: list[Patch] = [(1, 1, 0, 3, 0.5, 0, 1), (2, 0, 2, 1, 2, 0, 1)]
    assert by_sql(METRICS.get(name), rows) == pytest.approx(expected[name])


@pytest.mark.parametrize(
    "name", [m.name for m in METRICS if isinstance(m, CountMetric) and not m.counted_by]
)
def test_nothing_at_all_has_no_score_but_dice(name: str) -> None:
    found = by_sql(METRICS.get(name), [(0, 0, 0, 0, 0, 0, 0)])
    assert found == (1.0 if name == "dice" else None)
