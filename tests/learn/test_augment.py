from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from studyspec.errors import PluginError
from studyspec.learn.augment import FORMS, Augmenter, Batch, dihedral
from studyspec.learn.draws import Draws
from studyspec.plugins import contracts
from studyspec.plugins.contracts import Augmentation
from studyspec.plugins.settings import Empty
from studyspec.plugins.values import Samples
from tests.learn.patches import discs, learning, others

DRAWS = Draws(962, 1)
STILL = {"probability": 0.0}


def augmenter(**tables: Any) -> Augmenter:
    """No change but those asked for."""
    return Augmenter.of(learning(augment={"rotation": STILL} | tables))


def some(n: int, size: int = 32) -> Samples:
    """Samples 0 to n - 1, each of a patch of its own."""
    patches = discs(n, size=size)
    images, labels = torch.from_numpy(patches.images), torch.from_numpy(patches.labels)
    return Samples(images, labels, torch.arange(n))


def in_all_forms(samples: Samples) -> Samples:
    """The 8 samples of each patch."""
    numbers = torch.arange(FORMS * len(samples.images))
    return Samples(samples.images[numbers // 8], samples.labels[numbers // 8], numbers)


def part_of(samples: Samples, part: slice) -> Samples:
    """Some of the samples."""
    return Samples(samples.images[part], samples.labels[part], samples.numbers[part])


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
    patches = some(2)
    batch = augmenter(dihedral="all")(in_all_forms(patches), DRAWS)
    assert batch.images.shape == (16, 1, 32, 32)
    for sample in range(16):
        image, label = patches.images[sample // 8], patches.labels[sample // 8]
        assert torch.equal(batch.images[sample, 0], dihedral(image, sample % 8))
        assert torch.equal(batch.labels[sample], dihedral(label, sample % 8).long())


def test_random_draws_the_forms_evenly_and_only_in_training() -> None:
    images = torch.arange(9.0).view(1, 3, 3).repeat(4000, 1, 1)
    samples = Samples(images, torch.zeros(4000, 3, 3, dtype=torch.uint8), torch.arange(4000))
    random = augmenter(dihedral="random")
    _, counts = torch.unique(random(samples, DRAWS).images.flatten(1), dim=0, return_counts=True)
    assert len(counts) == 8
    assert (counts - 500).abs().max() < 5 * 500**0.5
    assert torch.equal(random(samples, DRAWS, training=False).images[:, 0], images)


def test_noise_is_drawn_before_the_flip() -> None:
    samples = some(8)
    plain = augmenter(noise={"rho": 1.0})(samples, DRAWS)
    flipped = augmenter(noise={"rho": 1.0}, dihedral="all")(samples, DRAWS)
    for form in range(8):
        assert torch.equal(flipped.images[form, 0], dihedral(plain.images[form, 0], form))


def test_validation_has_noise_and_no_rotation() -> None:
    samples = some(8)
    asked = augmenter(rotation={"probability": 1.0}, noise={"rho": 0.5})
    batch = asked(samples, DRAWS, training=False)
    assert torch.equal(batch.labels, samples.labels.long())
    assert not torch.equal(batch.images[:, 0], samples.images)


def test_a_sample_is_the_same_in_any_batch() -> None:
    samples = some(8)
    asked = augmenter(rotation={"probability": 0.5}, noise={"rho_max": 1.0}, dihedral="random")
    whole = asked(samples, DRAWS)
    for part in (slice(0, 3), slice(3, 8)):
        batch = asked(part_of(samples, part), DRAWS)
        assert torch.equal(batch.images, whole.images[part])
        assert torch.equal(batch.labels, whole.labels[part])


def test_another_epoch_has_other_noise() -> None:
    one, two = (augmenter(noise={"rho": 0.5})(some(2), Draws(962, e)) for e in (1, 2))
    assert (one.images - two.images).std() > 0.5


class Odd(Augmentation[Empty]):
    """Does whatever it is told to."""

    name, settings, position = "odd", Empty, 500

    def __init__(self, do: Callable[[Samples, contracts.Draws], Any]) -> None:
        self._do = do

    def describe(self, settings: Empty) -> str:
        return "odd"

    def apply(self, samples: Samples, settings: Empty, draws: contracts.Draws) -> Samples:
        found: Samples = self._do(samples, draws)
        return found


def oddly(do: Callable[[Samples, contracts.Draws], Any]) -> Batch:
    """A batch by an augmentation of others."""
    return Augmenter([others(Odd(do), Empty())], "none")(some(2), DRAWS)


@pytest.mark.parametrize(
    ("do", "what"),
    [
        (lambda s, _: s.images, r"it gave a Tensor, not Samples"),
        (lambda s, _: 1 / 0, r"ZeroDivisionError: division by zero"),
        (lambda s, _: replace(s, images=s.images[:, :16]), r"\(2, 16, 32\) from \(2, 32, 32\)"),
        (lambda s, _: replace(s, labels=s.labels[:1]), r"made labels of shape \(1, 32, 32\)"),
        (lambda s, _: replace(s, images=s.images / 0), r"pixels that are no numbers"),
    ],
)
def test_what_goes_wrong_names_the_distribution(
    do: Callable[[Samples, contracts.Draws], Any], what: str
) -> None:
    told = rf"^extras\.things:IT: augmentation 'odd' of extras 1\.2 failed: .*{what}"
    with pytest.raises(PluginError, match=told):
        oddly(do)


def test_a_plug_in_does_not_share_numbers_with_ours_by_using_our_names() -> None:
    drawn: list[Tensor] = []

    def draw(samples: Samples, draws: contracts.Draws) -> Samples:
        drawn.append(draws.uniform("rho", samples.numbers))
        return samples

    oddly(draw)
    assert not torch.equal(drawn[0], DRAWS.of("noise").uniform("rho", torch.arange(2)))
