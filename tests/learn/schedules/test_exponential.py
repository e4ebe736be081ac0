from __future__ import annotations

import pytest
from torch.optim.lr_scheduler import ExponentialLR

from studyspec.learn.schedules.exponential import EXPONENTIAL, ExponentialSettings
from tests.learn.schedules.rates import rates


def test_it_is_torchs_exponential_down_to_the_last_step() -> None:
    expected = rates(ExponentialLR, 50, gamma=0.01 ** (1 / 49))
    found = [EXPONENTIAL.factor(step, 50, ExponentialSettings(last=0.01)) for step in range(50)]
    assert found == pytest.approx(expected, abs=1e-9)
    assert found[-1] == pytest.approx(0.01)


def test_a_single_step_is_a_whole_one() -> None:
    assert EXPONENTIAL.factor(0, 1, ExponentialSettings()) == 1.0
