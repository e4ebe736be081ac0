from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studyspec.stats.intervals import (
    BestOf,
    Estimate,
    Resampled,
    Term,
    excess_term,
    holm,
    mean_term,
    two_sided_level,
    variance_sum,
)


def test_a_mean_has_its_variance_over_n() -> None:
    term = mean_term(np.array([1.0, 2.0, 3.0]))
    assert term.variance == pytest.approx(1 / 3)
    assert term.degrees == 2


def test_equal_terms_add_their_degrees() -> None:
    assert variance_sum(0.0, [Term(1.0, 4), Term(1.0, 4)]) == Estimate(0.0, 2.0, 8.0)


def test_a_dominant_term_gives_its_degrees() -> None:
    assert variance_sum(0.0, [Term(1.0, 4), Term(1e-9, 1)]).degrees == pytest.approx(4)


def test_without_any_variance_the_interval_is_the_value() -> None:
    estimate = variance_sum(0.3, [Term(0.0, 4)])
    assert estimate.interval() == (0.3, 0.3)
    assert (estimate.p_value(0.3), estimate.p_value(0.0)) == (1.0, 0.0)


@given(st.floats(-1, 1), st.floats(1e-6, 1), st.floats(1, 50), st.floats(-2, 2))
def test_p_is_below_5_percent_just_outside_the_interval(
    value: float, variance: float, degrees: float, bound: float
) -> None:
    estimate = Estimate(value, variance, degrees)
    low, high = estimate.interval()
    assert (estimate.p_value(bound) < 0.05 - 1e-9) <= (not low <= bound <= high)
    assert (estimate.p_value(bound) > 0.05 + 1e-9) <= (low <= bound <= high)


def test_an_excess_is_what_is_left_with_fewer_degrees() -> None:
    assert excess_term([Term(1.0, 4)], 0.75) == Term(0.25, 4 * 0.25**1.75)
    assert excess_term([Term(0.5, 4), Term(0.5, 4)], 0.75) == Term(0.25, 8 * 0.25**1.5)
    assert excess_term([Term(1.0, 4)], 2.0).variance == 0.0


def test_one_sided_bounds_are_the_ends_of_a_90_percent_interval() -> None:
    estimate = Estimate(0.0, 1.0, 1e9)
    assert two_sided_level(1) == pytest.approx(0.9)
    assert estimate.interval(two_sided_level(1))[1] == pytest.approx(1.644854, abs=1e-5)
    assert estimate.p_value(1.644854, sides=1) == pytest.approx(0.05, abs=1e-6)


def test_resampled_interval_holds_95_percent_of_the_replicates() -> None:
    resampled = Resampled(50.0, np.arange(101.0))
    assert resampled.interval() == pytest.approx((2.5, 97.5))
    assert resampled.p_value(0.0) == pytest.approx(2 / 101)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_keeps_the_order_and_lies_between_alone_and_bonferroni(ps: list[float]) -> None:
    adjusted = holm(ps)
    for p, a in zip(ps, adjusted, strict=True):
        assert p <= a <= 1
        assert a <= max(1.0 * len(ps) * p, max(ps))
    in_order = [adjusted[i] for i in sorted(range(len(ps)), key=ps.__getitem__)]
    assert in_order == sorted(in_order)


def test_the_best_of_several_has_the_bound_of_one_of_several() -> None:
    alone, worse = Estimate(0.1, 0.01, 1e9), Estimate(-5.0, 0.01, 1e9)
    assert BestOf(0.1, [[alone]]).interval() == pytest.approx(alone.interval())
    best = BestOf(0.1, [[alone], [worse]])
    assert best.interval()[0] == pytest.approx(alone.interval(0.975)[0])
    assert best.interval()[1] == pytest.approx(alone.interval()[1])
    assert best.p_value(-0.1, sides=1) == pytest.approx(2 * alone.p_value(-0.1, sides=1))
    assert best.p_value(0.3, sides=1) == pytest.approx(alone.p_value(0.3, sides=1))


def test_what_is_subtracted_is_the_best_of_its_points() -> None:
    near, far = Estimate(0.1, 0.01, 1e9), Estimate(0.9, 0.01, 1e9)
    least = BestOf(0.1, [[near, far]])
    assert least.interval()[0] == pytest.approx(near.interval()[0])
    assert least.interval()[1] == pytest.approx(near.interval(0.975)[1])
