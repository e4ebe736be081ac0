from __future__ import annotations

import numpy as np

from studyspec.particles.drawing import AT_BORDER, INSIDE, LARGEST_PX, overlay
from studyspec.particles.measures import View, measure
from studyspec.particles.objects import Mask, find
from tests.particles.discs import discs


def drawn(
    mask: Mask, scale: float | None = 0.02
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    found = find(mask)
    image = np.where(mask, 3, 1).astype(np.float32)
    particles = measure(found, View("a", image, pixel_scale_nm=scale))
    return np.asarray(overlay(image, found.labels, particles, scale))


def test_outlines_lie_on_edges_and_tell_the_border() -> None:
    picture = drawn(discs((100, 100, 50), (60, 0, 30)), scale=None)
    assert picture.shape == (400, 400, 3), "small images are drawn twice as large"
    blue, orange = ((picture == colour).all(axis=2) for colour in (INSIDE, AT_BORDER))
    rows, cols = np.nonzero(blue)
    np.testing.assert_allclose(np.hypot(rows - 201, cols - 201), 100, atol=3)
    assert 500 < blue.sum() < 1000
    assert (np.nonzero(orange)[1] <= 62).all()
    assert orange.any()


def test_large_images_are_drawn_smaller() -> None:
    side = LARGEST_PX + 100
    picture = drawn(discs((1000, 900, 300), shape=(side, 1000)))
    assert picture.shape[:2] == (side // 2, 500)
    rows, cols = np.nonzero((picture == INSIDE).all(axis=2))
    np.testing.assert_allclose(np.hypot(rows - 500, cols - 450), 150, atol=3)


def test_a_flat_image_is_drawn() -> None:
    assert drawn(discs()).max() <= 255
