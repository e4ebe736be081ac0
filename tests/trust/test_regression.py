from __future__ import annotations

import numpy as np
import pytest

from studyspec.trust.predictors import NAMES, PREDICTORS
from studyspec.trust.regression import Regression, hidden
from tests.trust.made_up import dice_of, examples, values


@pytest.fixture(scope="module")
def regression() -> Regression:
    made = examples()
    return Regression.fit(np.stack([e.values for e in made]), np.array([e.dice for e in made]))


def test_the_rule_is_found(regression: Regression) -> None:
    rng = np.random.default_rng(1)
    pairs = rng.uniform(0, 2, (50, 2)).tolist()
    found = regression.expected(np.stack([values(a, b, rng) for a, b in pairs]))
    assert np.abs(found - np.array([dice_of(a, b) for a, b in pairs])).mean() < 0.05


@pytest.mark.parametrize("name", [one.name for one in PREDICTORS if one.sign])
def test_dice_never_moves_against_the_sign_of_a_predictor(
    regression: Regression, name: str
) -> None:
    column = NAMES.index(name)
    row = values(1.0, 1.0, np.random.default_rng(2))
    rows = np.repeat(row[None], 40, axis=0)
    rows[:, column] = np.linspace(-4, 4, 40)
    steps = np.diff(regression.expected(rows)) * PREDICTORS[column].sign
    assert steps.min() >= -1e-9


def test_predictors_that_are_missing_are_borne(regression: Regression) -> None:
    row = values(2.0, 2.0, np.random.default_rng(3))[None]
    found = regression.expected(hidden(row, ("conditions", "image", "folds", "others")))
    assert 0.5 < found[0] < 1
