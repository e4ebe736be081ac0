from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from studyspec.learn.augmentations.thinning import THINNING, ThinningSettings
from studyspec.learn.draws import Draws
from studyspec.plugins.values import Samples

SCALE_NM = 0.02


def counted(dose: float, n: int = 6) -> Samples:
    """Patches of counted electrons as a camera would, standardized."""
    rng = np.random.default_rng(int(dose))
    shape = 1 + 0.1 * np.sin(np.arange(96) / 5)[:, None] * np.ones((n, 96, 96))
    counts = rng.poisson(shape * dose * (10 * SCALE_NM) ** 2).astype(np.float32)
    images = torch.from_numpy((counts - counts.mean()) / counts.std())
    return lit(images, dose, float(counts.std() / counts.mean()))


def lit(images: Tensor, dose: float, relative_sd: float) -> Samples:
    """Images with what thinning reads."""
    told = {"dose_e_per_A2": dose, "pixel_scale_nm": SCALE_NM, "relative_sd": relative_sd}
    values = {name: torch.full((len(images),), value) for name, value in told.items()}
    return Samples(images, images.byte(), torch.arange(len(images)), values)


def thinned(samples: Samples, **table: float) -> Tensor:
    return THINNING.apply(samples, ThinningSettings(**table), Draws(1, 1)).images


def test_thinned_images_are_as_noisy_as_images_of_that_dose() -> None:
    found, real = thinned(counted(884), dose_e_per_A2=80), counted(80).images
    assert found.std() == pytest.approx(1, abs=0.02)
    wave = torch.sin(torch.arange(96) / 5)[:, None]
    for image in (found, real):
        assert (image * wave).mean() == pytest.approx((real * wave).mean().item(), abs=0.01)
    rough = [float((x[:, 1:] - x[:, :-1]).var()) for x in (found, real)]
    assert rough[0] == pytest.approx(rough[1], rel=0.03)


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
