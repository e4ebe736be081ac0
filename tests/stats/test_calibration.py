"""A small version of `make stats-check`, with as much tolerance as its draws need."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from studyspec.stats.contrasts import variance_sum_t
from tests.stats.calibration import KINDS, LEVELS, Kind, look_rates, rates
from tests.stats.made_up import Noise, scores

DRAWS = 150
FOUR_ERRORS = 4 * (0.05 * 0.95 / DRAWS) ** 0.5


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_false_alarms_are_near_5_percent(kind: Kind) -> None:
    draws = DRAWS // 4 if kind.best else DRAWS
    found = rates(kind, replace(LEVELS["dice_micro"], micrographs=24), draws, seed=1)
    assert found.two_sided <= 0.065 + FOUR_ERRORS
    assert abs(found.bias) < 0.2 * found.width
    if not kind.best:  # of equal points the bounds are careful
        assert found.two_sided > 0.005


@pytest.mark.parametrize("name", ["own less other test set", "others less own sets, 3 x 3"])
@pytest.mark.parametrize("network", [0.0, 0.05])
def test_the_networks_own_spread_is_not_taken_for_that_of_micrographs(
    name: str, network: float
) -> None:
    kind = next(one for one in KINDS if one.name == name)
    noise = Noise(24, difficulty=0.03, liking=0.01, network=network, rest=0.02)
    found = rates(kind, noise, DRAWS, seed=1)
    assert 0.005 < found.two_sided <= 0.065 + FOUR_ERRORS
    equal = rates(kind, replace(noise, network=0.0), DRAWS, seed=1)
    assert found.width < 1.2 * equal.width  # the same networks on both sides


def test_looking_five_times_raises_no_false_alarms() -> None:
    noise = replace(LEVELS["dice_micro"], micrographs=24)
    found = look_rates(KINDS[0], noise, 5, DRAWS, seed=1)
    assert max(found[:3]) <= 0.065 + FOUR_ERRORS
    assert found.careless > 0.1


def test_networks_that_have_something_in_common_are_not_seen_by_their_spread() -> None:
    noise = replace(LEVELS["dice"], micrographs=24, common=0.5)
    assert rates(KINDS[0], noise, DRAWS, seed=1).two_sided > 0.12


def test_the_fast_way_is_that_of_a_study() -> None:
    noise = replace(LEVELS["dice"], micrographs=12)
    kind = KINDS[1]
    widths = []
    for seed in range(20):
        made = scores(dict.fromkeys(kind.cells, 0.8), noise, seed)
        cells = [
            made.weighted(name, "dice", weight)
            for name, weight in zip(kind.cells, kind.weights.values(), strict=True)
        ]
        low, high = variance_sum_t(cells).interval()
        widths.append(high - low)
    assert rates(kind, noise, 60).width == pytest.approx(np.mean(widths), rel=0.25)
