from __future__ import annotations

import numpy as np
import pytest

from studyspec.twin.constants import CONSTANTS
from studyspec.twin.sessions import illuminate, session_of


def test_illumination_is_positive_with_mean_one_and_falls_off() -> None:
    session = session_of("2021-08-26", CONSTANTS.sessions)
    light = illuminate(session, np.random.default_rng(0), CONSTANTS.sessions)
    places = np.linspace(-1, 1, 64)
    field = light.at(places, places)
    assert field.min() > 0
    assert field.mean() == pytest.approx(1, rel=1e-4)
    assert field.min() / field.max() == pytest.approx(1 - light.loss, abs=0.05)
    assert np.array_equal(field[8:16, 8:16], light.at(places[8:16], places[8:16]))
    assert session == session_of("2021-08-26", CONSTANTS.sessions)
