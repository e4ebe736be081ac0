from __future__ import annotations

import math
from collections.abc import Mapping

import duckdb
import numpy as np
import pytest
import torch

from studyspec.learn.augment import FORMS, dihedral
from studyspec.learn.metrics.particles import PARTICLES, ParticleSettings
from studyspec.particles.objects import Mask
from studyspec.plugins.contracts import CountMetric
from studyspec.plugins.registry import METRICS
from tests.particles.discs import discs

SCALE = 0.02
LABEL = discs((50, 50, 30), (150, 50, 25), (150, 140, 20), (40, 150, 25))
FOUND = discs((50, 50, 33), (150, 50, 27), (100, 199, 15), (40, 150, 24))
"""Three found, one missed, one invented at the border."""


def counted(label: Mask, found: Mask, scale: float | None = SCALE) -> dict[str, float]:
    masks = (torch.from_numpy(one)[None] for one in (found, label))
    probability, there = masks
    columns = {"pixel_scale_nm": scale}
    sums = PARTICLES.count_image(probability.float(), there, ParticleSettings(), columns)
    return {name: float(total) for name, total in sums.items()}


def scores(sums: Mapping[str, float]) -> dict[str, float | None]:
    """All that is made of the counts, by the formulas as the store has them."""
    table = ", ".join(f"{value!r}::double as {name}" for name, value in sums.items())
    ours = [one for one in METRICS if one is PARTICLES or _counted(one)]
    columns = ", ".join(f"({one.formula})::double as {one.name}" for one in ours)
    with duckdb.connect(":memory:") as connection:
        row = connection.execute(f"select {columns} from (select {table})").fetchone()
    assert row is not None
    return dict(zip((one.name for one in ours), row, strict=True))


def _counted(one: object) -> bool:
    return isinstance(one, CountMetric) and one.counted_by == "particles"


def test_scores_of_discs_are_as_counted_by_hand() -> None:
    told = scores(counted(LABEL, FOUND))
    assert told["particles"] == pytest.approx(2 * 3 / (4 + 4))
    assert told["particles_found"] == pytest.approx(3 / 4)
    assert told["particles_missed"] == pytest.approx(1 / 4)
    assert told["particles_invented"] == pytest.approx(1 / 4)
    assert told["particles_merged"] == told["particles_split"] == 0
    ious = (30 / 33) ** 2 + (25 / 27) ** 2 + (24 / 25) ** 2
    assert told["panoptic_quality"] == pytest.approx(2 * ious / 8, rel=0.01)
    errors = np.array([6, 4, -2]) * SCALE
    assert told["diameter_bias_nm"] == pytest.approx(errors.mean(), abs=0.3 * SCALE)
    assert told["diameter_sd_nm"] == pytest.approx(errors.std(ddof=1), abs=0.3 * SCALE)


def test_a_perfect_mask_scores_perfectly() -> None:
    told = scores(counted(LABEL, LABEL))
    assert told == {
        "particles": 1, "particles_found": 1, "particles_missed": 0, "particles_invented": 0,
        "particles_merged": 0, "particles_split": 0, "panoptic_quality": 1,
        "diameter_bias_nm": 0, "diameter_sd_nm": 0,
    }  # fmt: skip


def test_without_a_scale_diameters_are_unknown_and_not_zero() -> None:
    told = scores(counted(LABEL, FOUND, scale=None))
    assert told["diameter_bias_nm"] is None
    assert told["diameter_sd_nm"] is None
    assert told["particles_found"] == pytest.approx(3 / 4)


def test_shares_of_nothing_are_unknown() -> None:
    told = scores(counted(discs(), discs()))
    assert set(told.values()) == {None}
    assert scores(counted(discs(), FOUND))["particles_invented"] == 1


def test_sizes_of_both_populations_are_summed() -> None:
    sums = counted(LABEL, FOUND)
    assert sums["particles_n_labelled_off"] == 4
    assert sums["particles_n_predicted_off"] == 3
    logs = [math.log(2 * r * SCALE) for r in (33, 27, 24)]
    assert sums["particles_n_predicted_log"] == pytest.approx(sum(logs), abs=0.03)
    assert sums["particles_n_predicted_log2"] == pytest.approx(sum(x**2 for x in logs), abs=0.03)


def test_every_form_of_a_patch_counts_the_same() -> None:
    plain = counted(LABEL, FOUND)
    for form in range(FORMS):
        label, found = (
            dihedral(torch.from_numpy(m)[None], form)[0].numpy() for m in (LABEL, FOUND)
        )
        sums = counted(label, found)
        for name, total in plain.items():
            assert sums[name] == pytest.approx(total, rel=1e-6), (form, name)


def test_no_patches_have_no_sums() -> None:
    empty = torch.zeros(0, 8, 8)
    sums = PARTICLES.count(empty, empty > 0, ParticleSettings())
    assert {tuple(total.shape) for total in sums.values()} == {(0,)}
