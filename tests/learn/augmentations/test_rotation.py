from __future__ import annotations

import pytest
import torch
from torch import Tensor

from studyspec.learn.augment import dihedral
from studyspec.learn.augmentations.rotation import (
    ROTATION,
    RotationSettings,
    background_median,
    turned,
)
from studyspec.learn.draws import Draws
from studyspec.plugins.values import Samples
from tests.learn.patches import discs


def some(n: int, size: int = 32) -> tuple[Tensor, Tensor]:
    patches = discs(n, size=size)
    return torch.from_numpy(patches.images), torch.from_numpy(patches.labels)


def test_half_of_the_samples_are_rotated() -> None:
    images, labels = some(1000, size=16)
    samples = Samples(images, labels, torch.arange(1000))
    found = ROTATION.apply(samples, RotationSettings(probability=0.5), Draws(962, 1))
    moved = (found.images != images).flatten(1).any(dim=1).sum().item()
    assert abs(moved - 500) < 5 * 250**0.5


def test_a_quarter_turn_is_a_dihedral_form() -> None:
    images, labels = some(1)
    image, label = turned(images, labels, torch.tensor([torch.pi / 2]), "half")
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
    images, labels = some(4)
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
    _, labels = some(20)
    images, angle = torch.zeros(20, 32, 32), torch.linspace(0.1, 1.4, 20)
    area = labels.sum().item()
    half, published = (
        turned(images, labels, angle, rule)[1].sum().item() for rule in ("half", "published")
    )
    assert half == pytest.approx(area, rel=0.03)
    assert published < 0.9 * area


def test_the_published_rule_keeps_what_does_not_move() -> None:
    images, labels = some(1)
    assert torch.equal(turned(images, labels, torch.zeros(1), "published")[1], labels)
