from __future__ import annotations

import numpy as np
import pytest

from studyspec.catalog.distributions import Distribution
from studyspec.errors import StudySpecError


@pytest.mark.parametrize(
    ("text", "mean", "sd"),
    [("normal(5, 3)", 5, 3), (" Normal( -5 ,0)", -5, 0), ("uniform(-20,20)", 0, 40 / 12**0.5)],
)
def test_draws_have_the_mean_and_the_deviation_that_were_asked_for(
    text: str, mean: float, sd: float
) -> None:
    found = Distribution.parse(text)
    values = [found.draw(seed, "defocus_nm") for seed in range(2000)]
    assert np.mean(values) == pytest.approx(mean, abs=0.6)
    assert np.std(values) == pytest.approx(sd, rel=0.06, abs=1e-9)
    assert Distribution.parse(str(found)) == found


def test_a_draw_is_that_of_its_seed_and_column() -> None:
    one = Distribution("normal", 0.0, 1.0)
    assert one.draw(1, "defocus_nm") == one.draw(1, "defocus_nm")
    draws = {one.draw(1, "defocus_nm"), one.draw(2, "defocus_nm"), one.draw(1, "tilt_mrad")}
    assert len(draws) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("normal", "'normal' is no distribution; write normal"),
        ("normal(5)", r"'normal\(5\)' needs two numbers"),
        ("normal(5, x)", "needs two numbers"),
        ("normal(5, 3, 1)", "needs two numbers"),
        ("normal(5, -3)", "has a negative deviation"),
        ("normal(nan, 3)", "is not finite"),
        ("uniform(3, -3)", "ends before it begins"),
        ("gauss(5, 3)", "no distribution 'gauss'; write normal"),
    ],
)
def test_a_text_that_tells_of_none_is_told(text: str, message: str) -> None:
    with pytest.raises(StudySpecError, match=message):
        Distribution.parse(text)
