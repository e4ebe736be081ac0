from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from studyspec.stats.contrasts import WeightedCell, two_way_bootstrap, variance_sum_t
from studyspec.stats.scores import CellName
from tests.stats.made_up import Noise, scores

OFF, OWN, OTHER = CellName("base", "A", "T"), CellName("base", "T", "T"), CellName("base", "B", "T")
ELSEWHERE, OWN_U = CellName("base", "A", "U"), CellName("base", "U", "U")


def cell(
    weight: float, table: Sequence[Sequence[float]], train: str, variant: str = "base"
) -> WeightedCell:
    """A cell of folds x micrographs, all of the same patches."""
    dice = np.array(table)
    fold, micrograph = np.indices(dice.shape)
    return WeightedCell(
        weight=weight,
        mean=float(dice.mean()),
        variant=variant,
        train=train,
        micrographs="T",
        fold=fold.ravel(),
        micrograph=np.array([f"m{i}" for i in micrograph.ravel()]),
        score=dice.ravel(),
        patches=np.full(dice.size, 4.0),
    )


def test_variance_sum_by_hand() -> None:
    left = cell(1.0, [[0.9, 0.7], [0.8, 0.6]], "A")  # micrographs 0.85, 0.65; folds 0.8, 0.7
    right = cell(-1.0, [[0.6, 0.6], [0.6, 0.6]], "B")
    estimate = variance_sum_t([left, right])
    assert estimate.value == pytest.approx(0.15)
    # micrographs: var(0.25, 0.05) / 2 = 0.01; networks of A: var(0.8, 0.7) / 2 = 0.0025, and
    # nothing is left where both add up
    assert estimate.variance == pytest.approx(0.0125)
    assert estimate.degrees == pytest.approx(0.0125**2 / (0.01**2 + 0.0025**2))


def test_what_cells_share_is_paired() -> None:
    table = [[0.9, 0.7], [0.8, 0.5]]
    same = variance_sum_t([cell(1.0, table, "A"), cell(-1.0, table, "A")])
    assert (same.value, same.variance) == (0.0, 0.0)
    others = variance_sum_t([cell(1.0, table, "A"), cell(-1.0, table, "B")])
    residual = 0.05**2 / 4  # 0.9 + 0.5 - 0.7 - 0.8 = -0.1: four rows off by 0.025
    assert others.variance == pytest.approx(np.var([0.8, 0.65], ddof=1) - 2 * residual)


def test_variants_of_one_training_set_are_paired_fold_by_fold() -> None:
    left, right = [[0.9, 0.7], [0.8, 0.6]], [[0.6, 0.6], [0.5, 0.5]]  # folds differ alike
    paired = variance_sum_t([cell(1.0, left, "A"), cell(-1.0, right, "A", "bare")])
    apart = variance_sum_t([cell(1.0, left, "A"), cell(-1.0, right, "B")])
    assert paired.variance == pytest.approx(0.01)
    assert apart.variance == pytest.approx(0.01 + 2 * 0.0025)


def test_the_residual_of_crossed_cells_is_counted_once() -> None:
    noise = Noise(micrographs=8, difficulty=0.0, liking=0.0, network=0.0, rest=0.1)
    found = []
    for seed in range(200):
        made = scores({OFF: 0.8}, noise, seed)
        found.append(variance_sum_t([made.weighted(OFF, "dice", 1.0)]))
    truth = np.var([one.value for one in found])
    assert np.mean([one.variance for one in found]) < 1.6 * truth  # twice the residual: 2.0


def test_a_fold_that_saw_easy_micrographs_is_no_better_network() -> None:
    hard = Noise(difficulty=0.2, liking=0.0, network=0.0, rest=0.0)
    made = scores({OFF: 0.8, OWN: 0.8}, hard)
    assert np.std(list(made.per_fold(OWN, "dice").values())) > 0.05
    estimate = variance_sum_t([made.weighted(OFF, "dice", 1.0), made.weighted(OWN, "dice", -1.0)])
    assert estimate.variance == pytest.approx(0, abs=1e-20)


@pytest.mark.parametrize(
    ("left", "right"),
    [(OFF, OTHER), (OFF, OWN), (OWN, OWN_U), (OFF, ELSEWHERE)],
    ids=["two networks", "against own set", "two own sets", "two test sets"],
)
@pytest.mark.parametrize("network", [0.005, 0.03])
def test_false_alarms_are_near_5_percent(left: CellName, right: CellName, network: float) -> None:
    noise = Noise(liking=0.04, network=network, rest=0.0125)

    def alarm(seed: int) -> bool:
        made = scores({left: 0.8, right: 0.8}, noise, seed)
        cells = [made.weighted(left, "dice", 1.0), made.weighted(right, "dice", -1.0)]
        low, high = variance_sum_t(cells).interval()
        return not low <= 0 <= high

    assert 0.01 <= share(alarm, 250) <= 0.09


def share(alarm: Callable[[int], bool], n: int) -> float:
    return sum(alarm(seed) for seed in range(n)) / n


def test_the_bootstrap_agrees_where_micrographs_are_many() -> None:
    made = scores({OFF: 0.8, OTHER: 0.7}, Noise(micrographs=60, folds=20, liking=0.04))
    cells = [made.weighted(OFF, "dice", 1.0), made.weighted(OTHER, "dice", -1.0)]
    summed, drawn = variance_sum_t(cells), two_way_bootstrap(cells, np.random.default_rng(1))
    assert drawn.value == pytest.approx(summed.value)
    assert drawn.interval() == pytest.approx(summed.interval(), abs=0.003)
