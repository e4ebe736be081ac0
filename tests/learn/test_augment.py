from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from studyspec.learn.augment import FORMS, augment, background_median, dihedral, thin, turned
from studyspec.learn.draws import Draws
from studyspec.spec.settings import AugmentSettings, ThinningSettings
from tests.learn.patches import discs

DRAWS = Draws(962, 1)
STILL = {"probability": 0.0}


def _settings(**tables: Any) -> AugmentSettings:
    return AugmentSettings.model_validate({"dihedral": "none", "rotation": STILL} | tables)


def _discs(n: int, size: int = 32) -> tuple[Tensor, Tensor, Tensor]:
    patches = discs(n, size=size)
    return torch.from_numpy(patches.images), torch.from_numpy(patches.labels), torch.arange(n)


def test_the_forms_are_the_eight_of_the_square() -> None:
    square = np.arange(9.0).reshape(3, 3)
    forms = [dihedral(torch.from_numpy(square), form).numpy() for form in range(FORMS)]
    assert len({form.tobytes() for form in forms}) == 8
    for form in range(4):
        assert np.array_equal(forms[form], np.rot90(square, form))
        assert np.array_equal(forms[4 + form], np.rot90(square[:, ::-1], form))


@pytest.mark.parametrize("form", range(FORMS))
def test_every_form_can_be_undone(form: int) -> None:
    square = torch.randn(2, 5, 5)
    back = form if form >= 4 else -form % 4
    assert torch.equal(dihedral(dihedral(square, form), back), square)


def test_all_takes_every_form_of_every_patch() -> None:
    images, labels, _ = _discs(2)
    samples = torch.arange(16)
    batch = augment(images[samples // 8], labels[samples // 8], samples, AugmentSettings(), DRAWS)
    assert batch.images.shape == (16, 1, 32, 32)
    still = augment(
        images[samples // 8], labels[samples // 8], samples, _settings(dihedral="all"), DRAWS
    )
    for sample in range(16):
        expected = dihedral(images[sample // 8], sample % 8)
        assert torch.equal(still.images[sample, 0], expected)
        assert torch.equal(still.labels[sample], dihedral(labels[sample // 8], sample % 8).long())


def test_random_draws_the_forms_evenly_and_only_in_training() -> None:
    images = torch.arange(9.0).view(1, 3, 3).repeat(4000, 1, 1)
    samples, labels = torch.arange(4000), torch.zeros(4000, 3, 3, dtype=torch.uint8)
    settings = _settings(dihedral="random")
    batch = augment(images, labels, samples, settings, DRAWS)
    _, counts = torch.unique(batch.images.flatten(1), dim=0, return_counts=True)
    assert len(counts) == 8
    assert (counts - 500).abs().max() < 5 * 500**0.5
    still = augment(images, labels, samples, settings, DRAWS, training=False)
    assert torch.equal(still.images[:, 0], images)


def test_noise_keeps_the_variance_and_adds_rho_times_a_standard_normal() -> None:
    images = torch.randn(50, 64, 64, generator=torch.Generator().manual_seed(1))
    labels = torch.zeros(50, 64, 64, dtype=torch.uint8)
    batch = augment(images, labels, torch.arange(50), _settings(noise={"rho": 0.5}), DRAWS)
    assert batch.images.var().item() == pytest.approx(1, abs=0.02)
    added = batch.images[:, 0] * 1.25**0.5 - images
    assert added.std().item() == pytest.approx(0.5, abs=0.01)
    assert added.mean().item() == pytest.approx(0, abs=0.01)


def test_rho_max_draws_a_rho_for_each_sample() -> None:
    images = torch.zeros(2000, 16, 16)
    settings = _settings(noise={"rho_max": 0.8})
    batch = augment(images, images.byte(), torch.arange(2000), settings, DRAWS)
    scaled = batch.images.flatten(1).var(dim=1)
    rho = torch.sqrt(scaled / (1 - scaled))
    assert rho.mean().item() == pytest.approx(0.4, abs=0.02)
    assert rho.max().item() == pytest.approx(0.8, abs=0.15)
    assert rho.min().item() < 0.01


def test_noise_is_drawn_before_the_flip() -> None:
    images, labels, samples = _discs(8)
    plain = augment(images, labels, samples, _settings(noise={"rho": 1.0}), DRAWS)
    flipped = augment(images, labels, samples, _settings(noise={"rho": 1.0}, dihedral="all"), DRAWS)
    for form in range(8):
        assert torch.equal(flipped.images[form, 0], dihedral(plain.images[form, 0], form))


def test_validation_has_noise_and_no_rotation() -> None:
    images, labels, samples = _discs(8)
    settings = _settings(rotation={"probability": 1.0}, noise={"rho": 0.5})
    batch = augment(images, labels, samples, settings, DRAWS, training=False)
    assert torch.equal(batch.labels, labels.long())
    assert not torch.equal(batch.images[:, 0], images)


def test_half_of_the_samples_are_rotated() -> None:
    images, labels, samples = _discs(1000, size=16)
    batch = augment(images, labels, samples, _settings(rotation={"probability": 0.5}), DRAWS)
    moved = (batch.images[:, 0] != images).flatten(1).any(dim=1).sum().item()
    assert abs(moved - 500) < 5 * 250**0.5


def test_a_quarter_turn_is_a_dihedral_form() -> None:
    images, labels, _ = _discs(1)
    angle = torch.tensor([torch.pi / 2])
    image, label = turned(images, labels, angle, "half")
    forms = [dihedral(images, form) for form in (1, 3)]
    assert min((image - form).abs().max().item() for form in forms) < 1e-4
    assert label.sum() == labels.sum()


def test_turning_back_gives_the_middle_again() -> None:
    rows, cols = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    image = torch.sin(rows / 9)[None] + torch.cos(cols / 7)[None]
    label = torch.zeros(1, 64, 64, dtype=torch.uint8)
    angle = torch.tensor([0.7])
    there, _ = turned(image, label, angle, "half")
    back, _ = turned(there, label, -angle, "half")
    assert (back - image)[:, 22:42, 22:42].abs().max() < 0.02


def test_corners_are_filled_with_the_median_of_the_background() -> None:
    images, labels, _ = _discs(4)
    images[labels > 0] += 100
    image, label = turned(images, labels, torch.full((4,), torch.pi / 4), "half")
    for i in range(4):
        median = images[i][labels[i] == 0].median()
        assert image[i, 0, 0].item() == pytest.approx(median.item(), abs=1e-5)
    assert label[:, 0, 0].sum() == 0


def test_a_patch_without_background_has_the_median_of_all() -> None:
    images = torch.arange(9.0).view(1, 3, 3)
    assert background_median(images, torch.ones(1, 3, 3)).item() == 4
    assert background_median(images, (images > 2).byte()).item() == 1


def test_the_published_rule_erodes_and_ours_keeps_the_area() -> None:
    _, labels, _ = _discs(20)
    images, angle = torch.zeros(20, 32, 32), torch.linspace(0.1, 1.4, 20)
    area = labels.sum().item()
    half, published = (
        turned(images, labels, angle, rule)[1].sum().item() for rule in ("half", "published")
    )
    assert half == pytest.approx(area, rel=0.03)
    assert published < 0.9 * area


def test_the_published_rule_keeps_what_does_not_move() -> None:
    images, labels, _ = _discs(1)
    assert torch.equal(turned(images, labels, torch.zeros(1), "published")[1], labels)


def test_a_sample_is_the_same_in_any_batch() -> None:
    images, labels, samples = _discs(8)
    settings = AugmentSettings.model_validate({"noise": {"rho_max": 1.0}, "dihedral": "random"})
    whole = augment(images, labels, samples, settings, DRAWS)
    for start, end in ((0, 3), (3, 8)):
        part = slice(start, end)
        batch = augment(images[part], labels[part], samples[part], settings, DRAWS)
        assert torch.equal(batch.images, whole.images[part])
        assert torch.equal(batch.labels, whole.labels[part])


def test_another_epoch_has_other_noise() -> None:
    images, labels, samples = _discs(2)
    settings = _settings(noise={"rho": 0.5})
    one, two = (augment(images, labels, samples, settings, Draws(962, e)) for e in (1, 2))
    assert not torch.isclose(one.images, two.images).any(dim=-1).all()
    assert (one.images - two.images).std() > 0.5


def counted(dose: float, scale_A: float = 0.2, n: int = 6) -> tuple[Tensor, Tensor, Tensor]:
    """Patches of counted electrons as a camera would: standardized, their light, and the counts."""
    rng = np.random.default_rng(int(dose))
    mean = dose * scale_A**2
    shape = 1 + 0.1 * np.sin(np.arange(96) / 5)[:, None] * np.ones((n, 96, 96))
    counts = rng.poisson(shape * mean).astype(np.float32)
    images = (counts - counts.mean()) / counts.std()
    light = np.tile([dose, mean, counts.std() / counts.mean()], (n, 1)).astype(np.float32)
    return torch.from_numpy(images), torch.from_numpy(light), torch.from_numpy(counts)


def thinned(images: Tensor, light: Tensor, **table: float) -> Tensor:
    settings = AugmentSettings(thinning=ThinningSettings(**table))
    return thin(images, light, torch.arange(len(images)), settings, Draws(1, 1))


def test_thinned_images_are_as_noisy_as_images_of_that_dose() -> None:
    images, light, _ = counted(884)
    found = thinned(images, light, dose_e_per_A2=80)
    real, _, _ = counted(80)
    assert found.std() == pytest.approx(1, abs=0.02)
    wave = torch.sin(torch.arange(96) / 5)[:, None]
    for image in (found, real):
        assert (image * wave).mean() == pytest.approx((real * wave).mean().item(), abs=0.01)
    rough = [float((x[:, 1:] - x[:, :-1]).var()) for x in (found, real)]
    assert rough[0] == pytest.approx(rough[1], rel=0.03)


def test_an_image_of_a_lower_dose_stays_as_it_is() -> None:
    images, light, _ = counted(80)
    assert torch.equal(thinned(images, light, dose_e_per_A2=423), images)


def test_doses_of_a_range_differ_from_sample_to_sample() -> None:
    images, light, _ = counted(884, n=40)
    found = thinned(images, light, least_dose_e_per_A2=80)
    rough = (found[:, 1:] - found[:, :-1]).var(dim=(1, 2))
    assert rough.std() > 0.04
    assert torch.isfinite(found).all()


def test_brighter_pixels_get_more_noise() -> None:
    light = torch.tensor([[884.0, 35.0, 0.3]]).repeat(64, 1)
    flat = torch.stack([torch.full((32, 32), value) for value in (-2.0, 2.0)] * 32)
    found = thinned(flat, light, dose_e_per_A2=80)
    assert found[1::2].std() > 1.5 * found[::2].std()


def test_thinning_without_light_is_refused() -> None:
    images, _, _ = counted(80)
    settings = AugmentSettings(thinning=ThinningSettings(dose_e_per_A2=20))
    with pytest.raises(ValueError, match="light"):
        augment(images, images.byte(), torch.arange(len(images)), settings, Draws(1, 1))
