from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from studyspec.errors import NothingThere
from studyspec.trust.conditions import Conditions
from studyspec.trust.model import TrustModel
from studyspec.trust.predictors import NAMES
from tests.trust.made_up import examples


@pytest.fixture(scope="module")
def model() -> TrustModel:
    return TrustModel.fit(examples())


def test_nine_of_ten_dice_lie_within_their_intervals(model: TrustModel) -> None:
    fresh = examples(seed=7)
    found = [(one, model.expected(one)) for one in fresh]
    inside = np.mean([e.low <= one.dice <= e.high for one, e in found])
    assert 0.8 <= inside <= 0.99
    assert all(0 <= e.low <= e.dice <= e.high <= 1 for _, e in found)


def test_what_lies_beyond_all_examples_is_told_and_widens_the_interval(model: TrustModel) -> None:
    one = examples()[0]
    strange = one.values.copy()
    strange[NAMES.index("entropy")] = 50.0
    found = model.expected(replace(one, values=strange))
    assert "entropy" in found.outside[0]
    assert "50" in found.outside[0]
    usual = model.expected(one)
    assert found.dice - found.low > usual.dice - usual.low


def test_a_far_condition_is_outside_and_an_unknown_one_has_no_nearest(model: TrustModel) -> None:
    one = examples()[0]
    far = model.expected(replace(one, condition=Conditions("CdSe", 0.1, 20.0, 5.0)))
    assert "nearest tested condition is Au" in far.outside[-1]
    assert model.expected(replace(one, condition=Conditions())).nearest is None


def test_the_nearest_condition_is_that_of_the_network(model: TrustModel) -> None:
    ours = [one for one in examples() if one.condition.dose_e_per_A2 == 40.0]
    near = replace(ours[0], condition=replace(ours[0].condition, dose_e_per_A2=42.0))
    mean = float(np.mean([one.dice for one in ours]))
    assert model.expected(near).nearest == pytest.approx(mean)


def test_two_conditions_are_too_few() -> None:
    with pytest.raises(NothingThere, match="only 2 tested conditions"):
        TrustModel.fit(examples(conditions=2))
