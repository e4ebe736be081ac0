from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from studyspec.learn.augmentations.thinning import THINNING, CameraSettings, ThinningSettings
from studyspec.learn.draws import Draws
from studyspec.plugins.values import Samples
from studyspec.twin.camera import Exposure, detect
from studyspec.twin.constants import Camera
from studyspec.twin.sessions import Session

SCALE_NM = 0.02
STILL = replace(Camera(), read_noise=0.0, fixed_pattern=0.0, xrays_per_electron=0.0)
SESSION = Session(defocus_nm=0, beam_deg=0, falloff=0, gain=12, pattern_seed=1)


def counted(dose: float, n: int = 6) -> Samples:
    """Patches of a wave as the twin's camera takes them, standardized."""
    rng = np.random.default_rng(int(dose))
    shape = 1 + 0.1 * np.sin(np.arange(96) / 5)[:, None] * np.ones((n, 96, 96))
    beam = Exposure(dose, 10 * SCALE_NM)
    counts = np.stack([detect(one, beam, SESSION, rng, STILL) for one in shape])
    images = torch.from_numpy((counts - counts.mean()) / counts.std())
    return lit(images, dose, float(counts.std() / counts.mean()))


def lit(images: Tensor, dose: float, relative_sd: float) -> Samples:
    """Images with what thinning reads."""
    told = {"dose_e_per_A2": dose, "pixel_scale_nm": SCALE_NM, "relative_sd": relative_sd}
    values = {name: torch.full((len(images),), value) for name, value in told.items()}
    return Samples(images, images.byte(), torch.arange(len(images)), values)


def thinned(samples: Samples, **table: Any) -> Tensor:
    return THINNING.apply(samples, ThinningSettings(**table), Draws(1, 1)).images


def lag(image: Tensor) -> float:
    """Correlation of what two neighbours in a row hold besides the wave, which is along columns."""
    left, right = (part - part.mean(-1, keepdim=True) for part in (image[..., :-1], image[..., 1:]))
    return float((left * right).mean() / (left * left).mean())


def test_thinned_images_are_as_noisy_as_images_of_that_dose() -> None:
    found, real = thinned(counted(884, 200), dose_e_per_A2=80), counted(80, 200).images
    assert found.std() == pytest.approx(1, abs=0.02)
    wave = torch.sin(torch.arange(96) / 5)[:, None]
    contrast = [float((image * wave).mean()) for image in (found, real)]
    assert contrast[0] == pytest.approx(contrast[1], rel=0.03)
    rough = [float((x[:, 1:] - x[:, :-1]).var()) for x in (found, real)]
    assert rough[0] == pytest.approx(rough[1], rel=0.03)


def test_noise_of_thinning_has_the_colour_of_the_cameras() -> None:
    found, real = thinned(counted(884, 200), dose_e_per_A2=80), counted(80, 200).images
    assert lag(found) == pytest.approx(lag(real), abs=0.01)
    assert lag(real) > 0.4


def test_the_camera_is_that_of_the_twin_by_default() -> None:
    camera = asdict(Camera())
    camera["transfer_half"] = camera.pop("mtf_half")
    assert CameraSettings().model_dump().items() <= camera.items()


def test_an_image_of_a_lower_dose_stays_as_it_is() -> None:
    samples = counted(80)
    assert torch.equal(thinned(samples, dose_e_per_A2=423), samples.images)


def test_doses_of_a_range_differ_from_sample_to_sample() -> None:
    found = thinned(counted(884, n=40), least_dose_e_per_A2=80)
    rough = (found[:, 1:] - found[:, :-1]).var(dim=(1, 2))
    assert rough.std() > 0.04
    assert torch.isfinite(found).all()


def test_brighter_pixels_get_more_noise() -> None:
    flat = torch.stack([torch.full((32, 32), value) for value in (-2.0, 2.0)] * 32)
    found = thinned(lit(flat, 884, 0.3), dose_e_per_A2=80)
    assert found[1::2].std() > 1.5 * found[::2].std()
