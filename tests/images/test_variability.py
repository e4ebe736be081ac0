from __future__ import annotations

import numpy as np
import pytest

from studyspec.images.variability import (
    BANDS,
    BINS,
    describe,
    measured,
    power_in_bands,
    roughness,
    span_of,
)
from studyspec.jobs.measure import MeasuredRow
from studyspec.spec.sections import PreprocessSettings
from studyspec.spec.uses import Pipeline


def wave(cycles_per_px: float, n: int = 64) -> np.ndarray:
    rows = np.arange(n)
    return np.tile(np.sin(2 * np.pi * cycles_per_px * rows), (n, 1)).astype(np.float32)


@pytest.mark.parametrize("frequency", [1 / 16, 1 / 4, 1 / 2 - 1 / 64])
def test_the_roughness_of_a_wave_is_its_frequency_squared(frequency: float) -> None:
    assert roughness(wave(frequency)) == pytest.approx(frequency**2, rel=1e-5)
    assert roughness(wave(frequency).T) == pytest.approx(frequency**2, rel=1e-5)


def test_the_roughness_of_white_noise_is_that_of_all_frequencies() -> None:
    noise = np.random.default_rng(0).normal(size=(256, 256))
    squares = np.fft.fftfreq(256) ** 2
    assert roughness(noise) == pytest.approx(2 * squares.mean(), rel=0.02)


@pytest.mark.parametrize(("frequency", "band"), [(0.0375, 1), (0.078, 2), (0.15, 3), (0.3, 4)])
def test_the_power_of_a_wave_lies_in_its_band(frequency: float, band: int) -> None:
    power = power_in_bands(wave(frequency, 256) + 7)
    assert power.sum() == pytest.approx(1)
    assert power.argmax() == band
    assert power[band] > 0.95
    assert len(power) == len(BANDS) - 1


def test_a_flat_patch_has_neither() -> None:
    flat = np.full((32, 32), 3.0)
    assert roughness(np.zeros((32, 32))) == 0
    assert power_in_bands(flat).sum() == 0


def test_contrast_and_deviations_are_those_of_the_parts() -> None:
    rng = np.random.default_rng(0)
    labels = np.zeros((2, 128, 128), np.uint8)
    labels[:, :40] = 1
    images = np.where(labels > 0, rng.normal(-0.5, 2, labels.shape), rng.normal(0, 1, labels.shape))
    found = describe(images.astype(np.float32), labels)
    assert found.contrast == pytest.approx(0.5, abs=0.05)
    assert found.film_sd == pytest.approx(1, rel=0.02)
    assert found.particle_sd == pytest.approx(2, rel=0.02)
    mixed = describe(rng.normal(size=labels.shape).astype(np.float32), labels)
    assert mixed.skewness == pytest.approx(0, abs=0.05)
    assert mixed.kurtosis == pytest.approx(0, abs=0.1)


def test_without_particles_there_is_no_contrast() -> None:
    images = np.random.default_rng(0).normal(size=(1, 64, 64)).astype(np.float32)
    found = describe(images, np.zeros((1, 64, 64), np.uint8))
    assert np.isnan(found.contrast)
    assert np.isnan(found.particle_sd)
    assert found.film_sd == pytest.approx(1, rel=0.05)


def test_no_patch_is_no_statistics() -> None:
    with pytest.raises(ValueError, match="no patches"):
        describe(np.empty((0, 8, 8), np.float32), np.empty((0, 8, 8), np.uint8))


@pytest.mark.parametrize(("method", "span"), [("standardize", (-6, 6)), ("normalize", (-0.1, 1.1))])
def test_histograms_lie_where_the_rescaling_puts_intensities(
    method: str, span: tuple[float, float]
) -> None:
    pipeline = Pipeline.of(PreprocessSettings.model_validate({"rescale": {"method": method}}))
    assert span_of(pipeline) == span
    assert span_of(Pipeline(steps=pipeline.steps[:-1])) == (-6, 6)


def test_what_is_measured_is_a_row_of_the_measure_stage() -> None:
    rng = np.random.default_rng(0)
    images = rng.normal(size=(2, 32, 32)).astype(np.float32)
    pipeline = Pipeline.of(PreprocessSettings())
    told = measured(images, np.zeros((2, 32, 32), np.uint8), 0.5, pipeline, rng)
    row = MeasuredRow.model_validate(told)
    assert (row.rho, row.patches, row.contrast) == (0.5, 2, None)
    assert (row.low, row.width) == (-6, 12 / BINS)
    assert sum(row.background) == 2 * 32 * 32
    assert MeasuredRow.model_validate_json(row.model_dump_json()) == row
