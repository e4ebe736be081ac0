from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studyspec.twin.constants import CONSTANTS, FIELD_PX
from studyspec.twin.layout import REDUCTION, Layout, choose_window, draw_layout
from studyspec.twin.micrograph import Micrograph, Surroundings
from studyspec.twin.simulation import simulate
from tests.twin.scenes import CONDITIONS as SMALL

CONDITIONS = replace(SMALL, width_px=512, height_px=512)
FIELD_A = FIELD_PX * 0.2


def drawn(seed: int = 0) -> Layout:
    rng = np.random.default_rng(seed)
    return draw_layout(FIELD_A, 256, CONDITIONS, rng, CONSTANTS.particles)


def test_a_layout_covers_as_much_as_its_conditions_say() -> None:
    covered = [drawn(seed).covered().mean() for seed in range(12)]
    chosen = CONSTANTS.particles
    sample = chosen.sample_of("Au", 5.0)
    sizes = sample.mean**2 + chosen.spread**2
    assert np.mean(covered) == pytest.approx(sample.coverage * sizes, rel=0.15)


def test_particles_touch_but_hardly_overlap() -> None:
    discs = drawn().discs
    gaps = []
    for i, a in enumerate(discs):
        for b in discs[:i]:
            gap = np.hypot(*(a[:2] - b[:2])) - (a[2] + b[2]) / 2
            assert gap >= -CONSTANTS.particles.fused * min(a[2], b[2]) - 1e-9
            gaps.append(gap)
    assert min(gaps) < 20


def test_sizes_spread_as_in_the_published_set() -> None:
    sizes = np.concatenate([drawn(seed).discs[:, 2] for seed in range(8)]) / 10
    assert 2.7 < sizes.min() < 3.5
    assert 5.5 < sizes.max() < 6.8


def test_the_sample_most_alike_gives_the_layout() -> None:
    chosen = CONSTANTS.particles
    assert chosen.sample_of("Au", 4.0) == chosen.sample_of("Au", 5.0)
    assert chosen.sample_of("Ag", 20.0) == chosen.sample_of("Ag", 5.0)
    assert chosen.sample_of("Pt", 2.0) == chosen.sample_of("Au", 2.2)


def test_a_window_shows_particles_and_lies_on_the_grid() -> None:
    for seed in range(10):
        window = choose_window(CONDITIONS, np.random.default_rng(seed), CONSTANTS.particles)
        assert window.row % 512 == window.col % 512 == 0
        rows, cols = (
            slice(start // REDUCTION, (start + 512) // REDUCTION)
            for start in (window.row, window.col)
        )
        assert window.layout.covered()[rows, cols].any()
        down, _ = window.places()
        assert down[0] == pytest.approx(2 * (window.row + 0.5) / FIELD_PX - 1)


def test_an_image_wider_than_a_field_is_a_field_of_its_own() -> None:
    wide = replace(CONDITIONS, width_px=5000, height_px=5000)
    window = choose_window(wide, np.random.default_rng(0), CONSTANTS.particles)
    assert (window.row, window.col) == (0, 0)
    assert window.layout.points * REDUCTION >= 5000


def test_weights_make_particles_as_rare_as_in_the_field() -> None:
    particle = np.zeros((10, 10), bool)
    particle[:5] = True
    around = Surroundings(np.ones((4, 4), np.float32), 16, 0, 0, 0.04, particle)
    weights = around.weights()
    assert weights.mean() == pytest.approx(1)
    assert weights[particle].sum() / weights.sum() == pytest.approx(0.04)
    everywhere = replace(around, particle=np.ones((10, 10), bool))
    assert np.all(everywhere.weights() == 1)


def test_a_micrograph_comes_back_from_its_file(tmp_path: Path) -> None:
    made = simulate(replace(CONDITIONS, width_px=100, height_px=100))
    made.save(tmp_path / "one.npz")
    read = Micrograph.read((tmp_path / "one.npz").read_bytes())
    for name in ("pixels", "drawn", "exact"):
        assert np.array_equal(getattr(made, name), getattr(read, name))
    assert np.array_equal(made.surroundings.view, read.surroundings.view)
    assert np.array_equal(made.surroundings.weights(), read.surroundings.weights())
    assert made.surroundings.view.shape == (256, 256)
