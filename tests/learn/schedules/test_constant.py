from __future__ import annotations

from studyspec.learn.schedules.constant import CONSTANT, ConstantSettings


def test_it_stays_as_it_is() -> None:
    assert {CONSTANT.factor(step, 9, ConstantSettings()) for step in range(9)} == {1.0}
