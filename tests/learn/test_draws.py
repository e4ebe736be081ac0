from __future__ import annotations

import torch

from studyspec.learn.draws import PURPOSES, Draws


def test_uniform_numbers_fill_0_to_1_evenly() -> None:
    numbers = Draws(962, 1).uniform("angle", torch.arange(100_000))
    assert numbers.min() >= 0
    assert numbers.max() < 1
    shares = torch.histc(numbers, 20, 0, 1) / len(numbers)
    assert (shares - 0.05).abs().max() < 5 * (0.05 * 0.95 / len(numbers)) ** 0.5


def test_noise_is_standard_normal_and_white() -> None:
    noise = Draws(962, 1).normal(torch.arange(40), 64 * 64).double()
    n = noise.numel()
    assert abs(noise.mean()) < 5 * n**-0.5
    assert abs(noise.var() - 1) < 5 * (2 / n) ** 0.5
    assert abs((noise**4).mean() - 3) < 5 * (96 / n) ** 0.5
    image = noise.view(40, 64, 64)
    assert abs((image[:, 1:] * image[:, :-1]).mean()) < 5 * n**-0.5
    assert abs((image[:, :, 1:] * image[:, :, :-1]).mean()) < 5 * n**-0.5


def test_an_odd_number_of_pixels_has_as_many_numbers() -> None:
    assert Draws(1, 1).normal(torch.arange(2), 9).shape == (2, 9)


def test_a_number_depends_on_its_sample_alone() -> None:
    draws = Draws(962, 3)
    together = draws.normal(torch.arange(8), 100)
    assert torch.equal(together[5:6], draws.normal(torch.tensor([5]), 100))
    assert torch.equal(
        draws.uniform("rho", torch.arange(8))[5:6], draws.uniform("rho", torch.tensor([5]))
    )


def test_no_two_seeds_epochs_splits_or_purposes_agree() -> None:
    samples = torch.arange(4)
    numbers = [
        tuple(Draws(seed, epoch, split).uniform(purpose, samples).tolist())
        for seed in (0, 1, 962, -1, 2**63)
        for epoch in range(1, 20)
        for split in (0, 1)
        for purpose in PURPOSES
    ]
    assert len(set(numbers)) == len(numbers)


def test_no_noise_repeats_between_samples_and_epochs() -> None:
    noise = torch.cat([Draws(962, epoch).normal(torch.arange(20), 1000) for epoch in (1, 2)])
    likeness = torch.corrcoef(noise) - torch.eye(len(noise))
    assert likeness.abs().max() < 6 * 1000**-0.5


def test_the_order_holds_every_sample_once_and_is_new_each_epoch() -> None:
    first, second = (Draws(962, epoch).order(100) for epoch in (1, 2))
    assert sorted(first.tolist()) == list(range(100))
    assert not torch.equal(first, second)
