from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from studyspec.errors import FileError
from studyspec.images.steps.flat_field import (
    FlatFieldSettings,
    bernstein,
    block_means,
    divide_by_surface,
    fit_surface,
    reduced,
)
from studyspec.plugins.values import Frame
from tests.tolerances import RELATIVE

Image = npt.NDArray[np.float32]
RNG = np.random.default_rng(0)


def noise(*shape: int) -> Image:
    return RNG.poisson(900, shape).astype(np.float32)


def reference_surface(image: Image, settings: FlatFieldSettings) -> npt.NDArray[np.float64]:
    """The fit with every basis image built at full size."""
    rows, cols = (bernstein(n, o) for n, o in zip(image.shape, settings.order, strict=True))
    basis = [np.outer(r, c) for r in rows.T for c in cols.T]
    reduced = np.stack([block_means(b, settings.reduction).ravel() for b in basis], axis=1)
    data = block_means(image, settings.reduction).ravel()
    weights = np.ones_like(data)
    for _ in range(settings.fits):
        c = np.linalg.lstsq(reduced * weights[:, None], data * weights, rcond=None)[0]
        squares = (data - reduced @ c) ** 2
        weights = np.exp(-3 * squares / (2 * squares.mean()))
    return np.asarray(sum(k * b for k, b in zip(c, basis, strict=True)))


@pytest.mark.parametrize("order", [(2, 2), (1, 3)])
@pytest.mark.parametrize("fits", [1, 2, 3])
def test_the_separable_fit_equals_the_dense_one(order: tuple[int, int], fits: int) -> None:
    settings = FlatFieldSettings(order=order, fits=fits)
    slope = np.linspace(1, 1.5, 64)[:, None] * np.linspace(1, 0.8, 72)[None]
    image = (noise(64, 72) * slope).astype(np.float32)
    rows, coefficients, cols = fit_surface(image, settings)
    assert np.allclose(rows @ coefficients @ cols.T, reference_surface(image, settings), rtol=1e-6)


def test_division_flattens_a_quadratic_illumination() -> None:
    y, x = np.mgrid[-1:1:96j, -1:1:96j]
    image = (1000 * (1.5 - 0.3 * x**2 - 0.2 * y * x)).astype(np.float32)
    assert np.allclose(divide_by_surface(image, FlatFieldSettings()), 1, atol=1e-3)


def test_a_surface_that_is_not_positive_is_told() -> None:
    image = np.tile(np.linspace(-1, 1, 64, dtype=np.float32), (64, 1))
    with pytest.raises(FileError, match=r"surface is not positive.*flat_field.enabled = false"):
        divide_by_surface(image, FlatFieldSettings())


def wide(n: int = 32, step: int = 16) -> tuple[Image, Frame]:
    """A lit field of film, and the frame of an image of its second quarter."""
    edge = n * step
    light = 1 - 0.3 * np.linspace(0, 1, edge, dtype=np.float32)[None] ** 2
    field = np.repeat(900 * light, edge, axis=0)
    view = block_means(field, step).astype(np.float32)
    weights = np.ones((edge // 2, edge // 2), np.float32)
    return field, Frame(view, step, 0, edge // 2, weights)


def test_the_flat_field_of_a_part_is_that_of_its_frame() -> None:
    field, frame = wide()
    part = field[: len(field) // 2, len(field) // 2 :].copy()
    part[40:100, 40:100] *= 0.5  # which the fit never sees
    bright = part > 0.9 * part.mean()
    divide_by_surface(part, FlatFieldSettings(), frame)
    assert part[bright].std() < 1e-3
    assert part[bright].mean() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("reduction", [1, 3, 4, 40])
def test_blocks_added_in_single_precision_agree(reduction: int) -> None:
    image = noise(81, 130)
    assert np.allclose(
        reduced(image, reduction), block_means(image, reduction), rtol=RELATIVE / 100
    )
