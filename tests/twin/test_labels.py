from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from studyspec.twin.atoms import Particle
from studyspec.twin.constants import CONSTANTS
from studyspec.twin.field import Field
from studyspec.twin.labels import LabelMaker, Outline, draw, outline, overlooked, texture
from studyspec.twin.wave import Grid

LABELS = CONSTANTS.labels
STEADY = replace(LABELS, tremor_A=0.0, margin_sd_A=0.0)


def disc_of_atoms(radius_A: float = 25.0, center_A: float = 51.2) -> np.ndarray:
    steps = np.arange(-30, 30, 2.0)
    xy = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2)
    return np.asarray(xy[np.hypot(*xy.T) < radius_A] + center_A)


def found(xy: np.ndarray) -> Outline:
    one = outline(xy, 512, 0.2, LABELS)
    assert one is not None
    return one


def test_the_exact_mask_of_a_disc_of_atoms_has_its_area() -> None:
    area = found(disc_of_atoms()).on(512).sum() * 0.2**2
    assert area == pytest.approx(np.pi * (25 + LABELS.reach_A) ** 2, rel=0.08)


def test_an_exact_outline_has_no_scallops() -> None:
    mask = found(disc_of_atoms()).on(512)
    edge = (mask ^ binary_dilation(mask)).sum()
    assert edge < 1.25 * 2 * np.pi * 27 / 0.2


def test_depth_counts_from_the_outline() -> None:
    one = found(disc_of_atoms())
    middle = one.depth_A[one.depth_A.shape[0] // 2, one.depth_A.shape[1] // 2]
    assert middle == pytest.approx(27, abs=1.5)
    assert one.depth_A[0, 0] < 0


def test_a_particle_outside_the_plane_has_no_outline() -> None:
    assert outline(disc_of_atoms() + 500, 512, 0.2, LABELS) is None


def test_a_particle_cut_by_the_edge_keeps_its_part() -> None:
    half = found(disc_of_atoms(center_A=0.0)).on(512)
    assert half[0, 0]
    assert half.sum() * 0.2**2 == pytest.approx(np.pi * 27**2 / 4, rel=0.1)


def test_a_drawing_smooths_the_outline_and_keeps_the_area() -> None:
    depth = np.full((512, 512), 0.0, np.float32)
    rows, cols = np.indices(depth.shape)
    depth[:] = 150 - np.maximum(abs(rows - 250), abs(cols - 250))
    square = Outline(depth * np.float32(0.2), 0, 0, 0.2)
    mask = draw(square, np.random.default_rng(0), STEADY)
    assert not mask[101, 101]
    assert mask.sum() == pytest.approx((depth > 0).sum(), rel=0.05)


def test_hands_differ_and_stray_as_far_as_they_are_said_to() -> None:
    one = found(disc_of_atoms())
    areas = [draw(one, np.random.default_rng(seed), LABELS).sum() for seed in range(40)]
    radii = np.sqrt(np.array(areas) * 0.2**2 / np.pi)
    assert radii.std() == pytest.approx(LABELS.margin_sd_A, rel=0.35)
    first, second = (draw(one, np.random.default_rng(s), LABELS) for s in (0, 1))
    assert (first ^ second).any()


def test_texture_is_one_where_nothing_is_to_be_seen() -> None:
    seen = np.random.default_rng(0).normal(size=(200, 200)).astype(np.float32)
    particle = np.zeros(seen.shape, bool)
    particle[:60, :60] = True
    assert texture(seen, particle, ~particle) == pytest.approx(1, abs=0.05)
    assert texture(np.where(particle, 3 * seen, seen), particle, ~particle) > 2.5


@pytest.mark.parametrize(("of_film", "least", "most"), [(1.0, 0.9, 1.0), (1.5, 0.0, 0.05)])
def test_faint_particles_are_overlooked(of_film: float, least: float, most: float) -> None:
    missed = [overlooked(of_film, np.random.default_rng(s), LABELS) for s in range(100)]
    assert least <= np.mean(missed) <= most


def test_an_overlooked_particle_is_in_the_exact_label_alone() -> None:
    atoms = disc_of_atoms()
    particle = Particle(
        np.column_stack([atoms, np.zeros(len(atoms))]), np.zeros(len(atoms), np.int64)
    )
    field = Field(Grid(512, 0.2), 0.2, 512, 0)
    maker = LabelMaker([particle], field, replace(LABELS, missed_width=0.001))
    noise = np.random.default_rng(0).normal(100, 5, (512, 512)).astype(np.float32)
    assert maker.exact.sum() * 0.2**2 == pytest.approx(np.pi * 27**2, rel=0.08)
    assert not maker.drawn(noise, np.random.default_rng(0)).any()
    dark = np.where(maker.exact, noise - 50, noise)
    assert maker.drawn(dark, np.random.default_rng(0)).sum() > 0.7 * maker.exact.sum()


def test_without_film_to_compare_with_nothing_is_overlooked() -> None:
    everywhere = np.ones((8, 8), bool)
    found = texture(np.ones((8, 8), np.float32), everywhere, ~everywhere)
    assert not overlooked(found, np.random.default_rng(0), LABELS)
