from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from studyspec.learn.augmentations.noise import NOISE, NoiseSettings
from studyspec.learn.draws import Draws
from studyspec.plugins.values import Samples


def noisy(images: Tensor, **table: Any) -> Tensor:
    samples = Samples(images, images.byte(), torch.arange(len(images)))
    return NOISE.apply(samples, NoiseSettings(**table), Draws(962, 1)).images


def test_it_keeps_the_variance_and_adds_rho_times_a_standard_normal() -> None:
    images = torch.randn(50, 64, 64, generator=torch.Generator().manual_seed(1))
    found = noisy(images, rho=0.5)
    assert found.var().item() == pytest.approx(1, abs=0.02)
    added = found * 1.25**0.5 - images
    assert added.std().item() == pytest.approx(0.5, abs=0.01)
    assert added.mean().item() == pytest.approx(0, abs=0.01)


def test_rho_max_draws_a_rho_for_each_sample() -> None:
    scaled = noisy(torch.zeros(2000, 16, 16), rho_max=0.8).flatten(1).var(dim=1)
    rho = torch.sqrt(scaled / (1 - scaled))
    assert rho.mean().item() == pytest.approx(0.4, abs=0.02)
    assert rho.max().item() == pytest.approx(0.8, abs=0.15)
    assert rho.min().item() < 0.01


def test_it_is_active_where_there_is_any() -> None:
    asked = [{}, {"rho": 0.1}, {"rho_max": 0.1}]
    assert [NOISE.active(NoiseSettings(**table)) for table in asked] == [False, True, True]
