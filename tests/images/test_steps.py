from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studyspec.errors import FileError
from studyspec.images.flat_field import bernstein, block_means, divide_by_surface, fit_surface
from studyspec.images.patches import cut
from studyspec.images.prepare import load, prepare, save
from studyspec.images.rescale import rescale
from studyspec.images.source import Labelled
from studyspec.images.xrays import remove_xrays
from studyspec.spec.settings import (
    FlatFieldSettings,
    PatchSettings,
    PreprocessSettings,
    RescaleSettings,
    XraySettings,
)
from studyspec.twin.micrograph import Surroundings

Image = npt.NDArray[np.float32]
RNG = np.random.default_rng(0)


def noise(*shape: int) -> Image:
    return RNG.poisson(900, shape).astype(np.float32)


def reference_xrays(image: npt.NDArray[np.float64], threshold: float) -> npt.NDArray[np.float64]:
    """The rule pixel by pixel, one pass."""
    image = np.maximum(image, 0).copy()
    mean, limit = image.mean(), np.median(image) + threshold
    hits = sorted(zip(*np.nonzero(image > limit), strict=True), key=lambda p: -image[p])
    for row, col in hits:
        inside = 0 < row < len(image) - 1 and 0 < col < image.shape[1] - 1
        steps = [step for step in product((-1, 0, 1), repeat=2) if step != (0, 0)]
        around = [image[row + a, col + b] for a, b in steps] if inside else []
        image[row, col] = np.mean(around) if around else mean
    return image


def test_xrays_are_replaced_as_the_rule_says() -> None:
    image = noise(40, 50)
    image[[5, 5, 6, 0, 39, 20], [7, 8, 8, 3, 49, 20]] = [9000, 8000, 7000, 6000, 6500, 3000]
    image[10, 10] = -50
    expected = reference_xrays(image.astype(np.float64), 1500)
    found = remove_xrays(image.copy(), XraySettings(passes=1))
    assert np.allclose(found, expected, rtol=1e-5)


def test_a_second_pass_removes_what_the_first_left() -> None:
    image = np.zeros((7, 7), np.float32)
    image[2:5, 2:5] = 1e6
    once = remove_xrays(image.copy(), XraySettings(passes=1))
    twice = remove_xrays(image.copy(), XraySettings(passes=2))
    assert np.allclose(twice, reference_xrays(once.astype(np.float64), 1500), rtol=1e-5)
    assert twice.max() < once.max()


def test_a_pixel_just_at_the_threshold_stays() -> None:
    image = np.zeros((5, 5), np.float32)
    image[2, 2] = 1500
    assert remove_xrays(image, XraySettings())[2, 2] == 1500


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


@pytest.mark.parametrize(
    ("method", "low", "high"),
    [("normalize", 0, 1), ("histogram", 0, 1), ("standardize", None, None)],
)
def test_rescaling_reaches_its_scale(method: str, low: float | None, high: float | None) -> None:
    found = rescale(noise(64, 64), RescaleSettings.model_validate({"method": method}))
    if low is None:
        assert (found.mean(), found.std()) == pytest.approx((0, 1), abs=1e-5)
    else:
        assert (found.min(), found.max()) == pytest.approx((low, high), abs=1e-6)


def test_histogram_without_clipping_keeps_the_tails() -> None:
    image = noise(64, 64)
    low, high = np.percentile(image, (1, 99))
    found = rescale(image.copy(), RescaleSettings(method="histogram", clip=False))
    assert np.allclose(found, (image - low) / (high - low), atol=1e-5)


def test_an_image_of_one_value_is_told() -> None:
    with pytest.raises(FileError, match="all pixels are equal"):
        rescale(np.ones((8, 8), np.float32), RescaleSettings())


@given(st.integers(16, 70), st.integers(16, 70), st.integers(0, 200))
def test_patches_are_the_squares_with_enough_particle(height: int, width: int, least: int) -> None:
    rng = np.random.default_rng(height * 100 + width)
    image = rng.random((height, width), np.float32)
    label = rng.random((height, width)) < 0.4
    patches = cut(image, label, PatchSettings(size=16, min_particle_px=least))
    expected = [
        (r, c)
        for r in range(height // 16)
        for c in range(width // 16)
        if label[16 * r : 16 * r + 16, 16 * c : 16 * c + 16].sum() > least
    ]
    assert list(zip(patches.rows, patches.cols, strict=True)) == expected
    for k, (r, c) in enumerate(expected):
        square = (slice(16 * r, 16 * r + 16), slice(16 * c, 16 * c + 16))
        assert np.array_equal(patches.images[k], image[square])
        assert np.array_equal(patches.labels[k], label[square])


def test_an_image_smaller_than_a_patch_is_told() -> None:
    with pytest.raises(FileError, match=r"fewer than a patch of 32 x 32; lower preprocess.patch"):
        cut(noise(20, 64), np.ones((20, 64), bool), PatchSettings(size=32))


SMALL = PreprocessSettings(patch=PatchSettings(size=16, min_particle_px=0))


def test_prepared_patches_come_back_from_disk_mapped(tmp_path: Path) -> None:
    patches = prepare(Labelled(noise(64, 64), np.ones((64, 64), bool), 0.02), SMALL)
    size = save(patches, tmp_path / "key")
    again = load(tmp_path / "key")
    assert isinstance(again.images, np.memmap)
    assert np.array_equal(again.images, patches.images)
    assert (again.shape, list(again.rows)) == ((64, 64), list(patches.rows))
    assert size == sum(f.stat().st_size for f in (tmp_path / "key").iterdir())


def test_an_image_without_particles_has_no_patches_and_can_be_saved(tmp_path: Path) -> None:
    patches = prepare(Labelled(noise(32, 32), np.zeros((32, 32), bool), None), SMALL)
    save(patches, tmp_path / "key")
    assert load(tmp_path / "key").images.shape == (0, 16, 16)


def test_saving_twice_leaves_the_first_and_no_litter(tmp_path: Path) -> None:
    patches = prepare(Labelled(noise(32, 32), np.ones((32, 32), bool), None), SMALL)
    save(patches, tmp_path / "key")
    save(patches, tmp_path / "key")
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_an_image_without_label_cannot_be_prepared() -> None:
    with pytest.raises(FileError, match="the image has no label"):
        prepare(Labelled(noise(32, 32), None, None), SMALL)


def test_missing_patches_are_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no prepared patches"):
        load(tmp_path / "none")


def wide(n: int = 32, step: int = 16) -> tuple[Image, Surroundings]:
    """A lit field of film, and what an image of its second quarter knows of it."""
    edge = n * step
    light = 1 - 0.3 * np.linspace(0, 1, edge, dtype=np.float32)[None] ** 2
    field = np.repeat(900 * light, edge, axis=0)
    particle = np.zeros((edge // 2, edge // 2), bool)
    view = block_means(field, step).astype(np.float32)
    return field, Surroundings(view, step, 0, edge // 2, 0.0, particle)


def test_the_flat_field_of_a_part_is_that_of_its_whole_field() -> None:
    field, around = wide()
    part = field[: len(field) // 2, len(field) // 2 :].copy()
    part[40:100, 40:100] *= 0.5  # which the fit never sees
    bright = part > 0.9 * part.mean()
    divide_by_surface(part, FlatFieldSettings(), around)
    assert part[bright].std() < 1e-3
    assert part[bright].mean() == pytest.approx(1, abs=1e-3)


def test_mean_and_deviation_are_those_of_a_field_where_particles_are_rare() -> None:
    rng = np.random.default_rng(0)
    particle = np.zeros((64, 64), bool)
    particle[:, :32] = True
    image = np.where(particle, -5.0, rng.normal(0, 1, particle.shape)).astype(np.float32)
    around = Surroundings(np.ones((4, 4), np.float32), 16, 0, 0, 0.02, particle)
    found = rescale(image.copy(), RescaleSettings(), around.weights())
    mean, second = 0.02 * -5, 0.98 + 0.02 * 25
    sd = np.sqrt(second - mean**2)
    assert found[particle].mean() == pytest.approx((-5 - mean) / sd, abs=0.05)
    assert found[~particle].std() == pytest.approx(1 / sd, rel=0.05)


@pytest.mark.parametrize("method", ["normalize", "histogram"])
def test_rare_particles_do_not_move_percentiles(
    method: Literal["normalize", "histogram"],
) -> None:
    rng = np.random.default_rng(0)
    particle = np.zeros((64, 64), bool)
    particle[:, :32] = True
    image = np.where(particle, -50.0, rng.normal(0, 1, particle.shape)).astype(np.float32)
    around = Surroundings(np.ones((4, 4), np.float32), 16, 0, 0, 0.001, particle)
    settings = RescaleSettings(method=method)
    weighted = rescale(image.copy(), settings, around.weights())
    plain = rescale(image.copy(), settings)
    assert np.allclose(weighted, plain) == (method == "normalize")
