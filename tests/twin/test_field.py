from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from studyspec.twin.constants import CONSTANTS
from studyspec.twin.field import Field, block_means, resampled
from tests.twin.scenes import CONDITIONS


@pytest.mark.parametrize("pixel_scale_nm", [0.01, 0.02, 0.026, 0.033, 0.042, 0.1])
def test_the_wave_is_sampled_alike_at_every_magnification(pixel_scale_nm: float) -> None:
    field = Field.of(replace(CONDITIONS, pixel_scale_nm=pixel_scale_nm), CONSTANTS.waves)
    step = CONSTANTS.waves.step_A
    assert 0.97 * step <= field.grid.step_A <= step * 1.0001
    assert field.grid.size_A == pytest.approx(field.wide * field.pixel_A)


@pytest.mark.parametrize(("before", "after"), [(96, 96), (96, 64), (64, 96), (90, 63), (63, 90)])
def test_a_wave_is_the_same_on_other_points(before: int, after: int) -> None:
    def plane(n: int) -> np.ndarray:
        rows, cols = np.meshgrid(*[2 * np.pi * np.arange(n) / n] * 2, indexing="ij")
        return (2 + np.cos(3 * rows + 1) + np.sin(5 * cols - 4 * rows)).astype(np.float32)

    assert np.allclose(resampled(plane(before), after), plane(after), atol=1e-5)


def test_frequencies_that_pixels_cannot_hold_are_cut() -> None:
    fine = np.cos(2 * np.pi * 40 * np.arange(96) / 96)[None].repeat(96, 0).astype(np.float32)
    assert np.allclose(resampled(fine, 64), 0, atol=1e-5)


def test_an_image_is_what_lies_within_the_margin() -> None:
    field = Field.of(CONDITIONS, CONSTANTS.waves)
    plane = np.arange(field.wide**2, dtype=np.float32).reshape(field.wide, field.wide)
    assert field.cut(plane).shape == (256, 256)
    assert field.cut(plane)[0, 0] == plane[field.margin, field.margin]


def test_block_means_leave_out_the_remainder() -> None:
    plane = np.arange(25.0).reshape(5, 5)
    assert block_means(plane, 2).tolist() == [[3.0, 5.0], [13.0, 15.0]]
