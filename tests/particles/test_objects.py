from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studyspec.particles.objects import Counting, at_border, diameters_px, find
from tests.particles.discs import discs

RADIUS = 30


@given(st.floats(6, 40), st.floats(50, 150), st.floats(50, 150))
@settings(deadline=None, max_examples=30)
def test_a_disc_is_one_particle_of_its_diameter(radius: float, row: float, col: float) -> None:
    found = find(discs((row, col, radius)))
    assert len(found) == 1
    assert not found.split.any()
    assert diameters_px(found.labels)[0] == pytest.approx(2 * radius, abs=0.6)


@pytest.mark.parametrize(("distance", "n"), [(30, 1), (36, 1), (46, 2), (56, 2), (60, 2), (70, 2)])
def test_touching_discs_are_split_where_their_neck_is_narrow(distance: int, n: int) -> None:
    """The neck is sqrt(1 - (d / 2r)²) of the radius: 0.75 at d = 1.32 r."""
    found = find(discs((100, 60, RADIUS), (100, 60 + distance, RADIUS)))
    assert len(found) == n
    if n == 2:
        np.testing.assert_allclose(diameters_px(found.labels), 2 * RADIUS, rtol=0.06)
        assert found.split.tolist() == [distance < 60] * 2


@pytest.mark.parametrize("scale", [1, 3])
def test_splitting_does_not_depend_on_the_pixel(scale: int) -> None:
    places = [(60, 60, 25), (60, 105, 25), (120, 80, 20), (60, 150, 22)]
    scaled = [(row * scale, col * scale, r * scale) for row, col, r in places]
    found = find(discs(*scaled, shape=(200 * scale, 200 * scale)))
    assert len(found) == 4
    assert found.split.sum() == 3


def test_rods_and_rough_edges_are_not_split() -> None:
    rod = np.zeros((200, 200), bool)
    rod[80:110, 20:180] = True
    assert len(find(rod)) == 1
    rng = np.random.default_rng(0)
    rough = discs((100, 100, 50)) ^ (discs((100, 100, 52)) & ~discs((100, 100, 48)))
    ring = rng.random((200, 200)) < 0.5
    rough |= discs((100, 100, 52)) & ~discs((100, 100, 48)) & ring
    assert len(find(rough)) == 1


def test_a_ring_of_touching_discs_is_as_many_particles() -> None:
    angles = np.arange(6) * math.pi / 3
    places = [(100 + 56 * math.sin(a), 100 + 56 * math.cos(a), 30) for a in angles]
    assert len(find(discs(*places))) == 6


def test_without_splitting_components_are_particles() -> None:
    mask = discs((100, 60, RADIUS), (100, 110, RADIUS))
    assert len(find(mask, Counting(split_touching=False))) == 1


def test_specks_do_not_count_and_pinholes_are_filled() -> None:
    mask = discs((100, 100, RADIUS), (20, 20, 3)) & ~discs((100, 100, 3))
    found = find(mask)
    assert len(found) == 1
    assert found.labels[100, 100] == 1
    assert len(find(mask, Counting(min_area_px=5))) == 2


def test_particles_at_the_border_are_told() -> None:
    found = find(discs((0, 100, 20), (100, 100, 20), (100, 189, 10), (100, 10, 11)))
    places = {tuple(np.argwhere(found.labels == n + 1).mean(axis=0).round(-1)): touches
              for n, touches in enumerate(at_border(found.labels))}  # fmt: skip
    assert places == {(10, 100): True, (100, 100): False, (100, 190): False, (100, 10): True}


def test_an_empty_mask_has_no_particles() -> None:
    found = find(np.zeros((50, 50), bool))
    assert len(found) == 0
    assert at_border(found.labels).shape == diameters_px(found.labels).shape == (0,)
