from __future__ import annotations

import pytest
from torch.optim.lr_scheduler import CosineAnnealingLR

from studyspec.learn.schedules.cosine import COSINE, CosineSettings
from tests.learn.schedules.rates import rates


@pytest.mark.parametrize("last", [0.0, 0.1])
def test_it_is_torchs_cosine(last: float) -> None:
    expected = rates(CosineAnnealingLR, 50, T_max=50, eta_min=last)
    found = [COSINE.factor(step, 50, CosineSettings(last=last)) for step in range(50)]
    assert found == pytest.approx(expected, abs=1e-9)


def test_a_single_step_is_a_whole_one() -> None:
    assert COSINE.factor(0, 1, CosineSettings()) == 1.0
