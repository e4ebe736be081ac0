from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from studyspec.trust.figures import (
    Image,
    Reference,
    agreement,
    answer_figures,
    consensus,
    image_figures,
)


def noise(seed: int, smooth: float = 0.0) -> Image:
    found = np.random.default_rng(seed).normal(size=(64, 64))
    found = gaussian_filter(found, smooth) if smooth else found
    return np.asarray(found / found.std(), np.float32)


def disc(value: float = 1.0, shift: int = 0) -> Image:
    rows, cols = np.mgrid[:40, :40]
    return np.where((rows - 20) ** 2 + (cols - 20 - shift) ** 2 < 100, value, 0).astype(np.float32)


def test_a_sure_answer_is_confident_and_an_unsure_one_less() -> None:
    sure, unsure = (answer_figures([disc(p)], [disc(p)]) for p in (1.0, 0.6))
    assert sure.confidence == pytest.approx(1.0)
    assert unsure.confidence == pytest.approx(2 * 0.6 / 1.6, abs=0.01)
    assert sure.entropy < unsure.entropy
    assert sure.turned == 1.0
    assert sure.particle == pytest.approx(float(disc().mean()))


def test_an_empty_answer_is_not_confident() -> None:
    assert answer_figures([disc(0.1)], [disc(0.1)]).confidence == 0


def test_agreement_is_the_mean_dice_with_each_and_consensus_that_with_the_mean() -> None:
    others = [[disc()], [disc(shift=40)]]
    assert agreement([disc()], others) == pytest.approx(0.5, abs=0.01)
    assert consensus([disc()], [[disc(0.9)], [disc(0.3)]]) == 1.0
    assert agreement([disc()], []) is None


def test_noise_is_rougher_than_what_is_smooth_and_strange_to_it() -> None:
    rough, smooth = image_figures([noise(0)]), image_figures([noise(1, 2.0)])
    assert rough.roughness > smooth.roughness + 1
    assert rough.power_4 > smooth.power_4
    reference = Reference.of([image_figures([noise(seed)]) for seed in range(5)])
    assert reference is not None
    assert reference.strangeness(smooth).mean() > 3 * reference.strangeness(rough).mean()


def test_one_image_is_no_reference() -> None:
    assert Reference.of([image_figures([noise(0)])]) is None
