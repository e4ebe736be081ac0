from __future__ import annotations

import numpy as np
import pytest

from studyspec.stats.scores import CellName, Scores
from studyspec.stats.selection import Selection, select
from tests.stats.made_up import Noise, scores

NOISE = Noise(micrographs=8, liking=0.03, network=0.03, rest=0.04)
POINTS = {f"noisy[rho={x}]": [CellName(f"noisy[rho={x}]", "Ag", "Au")] for x in range(5)}


def selected(made: Scores, sign: int = 1) -> Selection:
    return select(POINTS, "dice", sign, made)


def test_the_best_of_equal_points_is_not_above_them() -> None:
    flat = dict.fromkeys([name for names in POINTS.values() for name in names], 0.8)
    lifts, fair = [], []
    for seed in range(80):
        made = scores(flat, NOISE, seed)
        means = [made.mean(name, "dice") for name in flat]
        found = selected(made)
        lifts.append(max(means) - np.mean(means))
        fair.append(found.scores.mean(found.names[0], "dice") - np.mean(means))
    assert np.mean(lifts) > 0.015
    assert abs(np.mean(fair)) < 4 * np.std(fair) / np.sqrt(len(fair))


@pytest.mark.parametrize(("sign", "best"), [(1, "noisy[rho=4]"), (-1, "noisy[rho=0]")])
def test_a_clear_best_is_taken_as_it_is(sign: int, best: str) -> None:
    made = scores({POINTS[f"noisy[rho={x}]"][0]: 0.5 + 0.1 * x for x in range(5)}, NOISE)
    found = selected(made, sign)
    assert (found.names, found.scores) == (POINTS[best], made)
    assert f"{best} is the best of 5 points (100 % of the choices" in found.note


def test_made_cells_stand_beside_the_others() -> None:
    flat = dict.fromkeys([name for names in POINTS.values() for name in names], 0.8)
    found = selected(scores(flat, NOISE))
    (name,) = found.names
    assert name == CellName("best of noisy by dice", "Ag", "Au")
    assert len(found.scores.images_by_cell[name]) == 5 * 8
    assert sorted(found.scores.per_fold(name, "dice")) == [0, 1, 2, 3, 4]
