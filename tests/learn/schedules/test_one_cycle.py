from __future__ import annotations

import pytest
from torch.optim.lr_scheduler import OneCycleLR

from studyspec.learn.schedules.one_cycle import ONE_CYCLE, OneCycleSettings
from tests.learn.schedules.rates import rates


@pytest.mark.parametrize("steps", [20, 47, 200])
@pytest.mark.parametrize("warm_up", [0.1, 0.3, 0.5])
def test_it_is_torchs_one_cycle(steps: int, warm_up: float) -> None:
    told = {"max_lr": 1.0, "total_steps": steps, "pct_start": warm_up, "cycle_momentum": False}
    expected = rates(OneCycleLR, steps, **told)
    settings = OneCycleSettings(warm_up=warm_up)
    found = [ONE_CYCLE.factor(step, steps, settings) for step in range(steps)]
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("warm_up", [0.0, 0.3, 0.99])
def test_few_steps_have_factors_too(steps: int, warm_up: float) -> None:
    settings = OneCycleSettings(warm_up=warm_up)
    found = [ONE_CYCLE.factor(step, steps, settings) for step in range(steps)]
    assert all(0 <= factor <= 1 for factor in found)


def test_it_says_where_its_peak_is() -> None:
    assert "in the first 30% of the steps" in ONE_CYCLE.describe(OneCycleSettings())
