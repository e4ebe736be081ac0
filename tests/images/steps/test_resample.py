from __future__ import annotations

import numpy as np
import pytest

from studyspec.errors import FileError
from studyspec.images.door import Labelled
from studyspec.images.pipeline import prepare
from studyspec.images.steps.resample import (
    ResampleSettings,
    resample,
    resample_label,
    to_shape,
    zoom_of,
)
from studyspec.spec.sections import PreprocessSettings
from studyspec.spec.uses import Pipeline


def wave(period_px: float, n: int = 256) -> np.ndarray:
    return np.tile(np.sin(2 * np.pi * np.arange(n) / period_px), (n, 1)).astype(np.float32)


@pytest.mark.parametrize("factor", [0.5, 0.6, 1.5, 2.1])
def test_a_wave_keeps_its_length_in_nm(factor: float) -> None:
    found = resample(wave(32), factor)
    assert found.shape == (round(256 * factor),) * 2
    power = np.abs(np.fft.rfft(found[0] * np.hanning(len(found))))
    assert len(found) / power.argmax() == pytest.approx(32 * factor, rel=0.05)


def test_what_no_pixel_can_show_is_gone() -> None:
    assert resample(wave(2.5), 0.4).std() < 0.15 * wave(2.5).std()


def test_an_image_of_the_wanted_scale_is_left_as_it_is() -> None:
    image = wave(20)
    assert zoom_of(ResampleSettings(pixel_scale_nm=0.02), 0.02) == 1
    assert resample(image, zoom_of(ResampleSettings(), 0.02)) is image


def test_a_label_keeps_its_area() -> None:
    label = np.zeros((200, 200), bool)
    label[50:150, 60:140] = True
    found = resample_label(label, 0.6)
    assert found.sum() == pytest.approx(label.sum() * 0.36, rel=0.03)


def test_a_mask_comes_back_to_its_shape() -> None:
    image = resample(wave(40), 0.61)
    assert to_shape(image, (256, 256)).shape == (256, 256)
    assert np.abs(to_shape(image, (256, 256)) - wave(40)).mean() < 0.1


def to_scale(patch: dict[str, int]) -> Pipeline:
    tables = {"resample": {"pixel_scale_nm": 0.04}, "patch": patch}
    return Pipeline.of(PreprocessSettings.model_validate(tables))


def test_images_of_two_scales_are_prepared_alike() -> None:
    rng = np.random.default_rng(0)
    pipeline = to_scale({"size": 64, "min_particle_px": 10})
    for n, scale in ((256, 0.02), (128, 0.04)):
        label = np.zeros((n, n), bool)
        label[: n // 2] = True
        pixels = rng.poisson(900, (n, n)).astype(np.float32)
        found = prepare(Labelled(pixels, label, scale), pipeline, {})
        assert found.shape == (128, 128)
        assert len(found.images) == 2
        assert found.labels.mean() == pytest.approx(1, abs=0.03)


def test_an_image_of_no_known_scale_is_told() -> None:
    labelled = Labelled(np.ones((64, 64), np.float32), np.ones((64, 64), bool), None)
    with pytest.raises(FileError, match="its pixel scale is not known"):
        prepare(labelled, to_scale({}), {})
