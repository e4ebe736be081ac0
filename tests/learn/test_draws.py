from __future__ import annotations

import pytest
import torch
from hypothesis import assume, example, given
from hypothesis import strategies as st

from studyspec.learn.draws import NUMBERS, Draws

SAMPLES = torch.arange(4)
NAMES = st.text(min_size=1, max_size=20)


def test_uniform_numbers_fill_0_to_1_evenly() -> None:
    numbers = Draws(962, 1).uniform("angle", torch.arange(100_000))
    assert numbers.min() >= 0
    assert numbers.max() < 1
    shares = torch.histc(numbers, 20, 0, 1) / len(numbers)
    assert (shares - 0.05).abs().max() < 5 * (0.05 * 0.95 / len(numbers)) ** 0.5


def test_noise_is_standard_normal_and_white() -> None:
    noise = Draws(962, 1).normal("noise", torch.arange(40), 64 * 64).double()
    n = noise.numel()
    assert abs(noise.mean()) < 5 * n**-0.5
    assert abs(noise.var() - 1) < 5 * (2 / n) ** 0.5
    assert abs((noise**4).mean() - 3) < 5 * (96 / n) ** 0.5
    image = noise.view(40, 64, 64)
    assert abs((image[:, 1:] * image[:, :-1]).mean()) < 5 * n**-0.5
    assert abs((image[:, :, 1:] * image[:, :, :-1]).mean()) < 5 * n**-0.5


def test_an_odd_number_of_pixels_has_as_many_numbers() -> None:
    assert Draws(1, 1).normal("noise", torch.arange(2), 9).shape == (2, 9)


def test_a_number_depends_on_its_sample_alone() -> None:
    draws = Draws(962, 3)
    together = draws.normal("noise", torch.arange(8), 100)
    assert torch.equal(together[5:6], draws.normal("noise", torch.tensor([5]), 100))
    assert torch.equal(
        draws.uniform("rho", torch.arange(8))[5:6], draws.uniform("rho", torch.tensor([5]))
    )


def test_no_two_seeds_epochs_splits_or_streams_agree() -> None:
    numbers = [
        tuple(Draws(seed, epoch, split).uniform(stream, SAMPLES).tolist())
        for seed in (0, 1, 962, -1, 2**63)
        for epoch in range(1, 20)
        for split in (0, 1)
        for stream in NUMBERS
    ]
    assert len(set(numbers)) == len(numbers)


@given(NAMES, NAMES)
@example("plumless", "buckeroo")  # of one CRC-32
@example("order", "form")
@example("noise", "Noise")
def test_two_names_never_share_numbers(one: str, other: str) -> None:
    assume(one != other)
    draws = Draws(962, 1)
    a, b = (draws.uniform(name, SAMPLES) for name in (one, other))
    assert not (a == b).all()


@given(NAMES, NAMES)
def test_streams_of_two_names_are_independent(one: str, other: str) -> None:
    assume(one != other)
    n = 4000
    a, b = (Draws(962, 1).normal(name, torch.arange(4), n // 4).flatten() for name in (one, other))
    assert abs(float((a * b).mean())) < 7 * n**-0.5


@given(NAMES)
def test_two_plug_ins_do_not_share_a_name(stream: str) -> None:
    draws = Draws(962, 1)
    both = [draws.of(owner).uniform(stream, SAMPLES) for owner in ("noise", "blur")]
    assert not torch.equal(*both)


def test_no_noise_repeats_between_samples_and_epochs() -> None:
    noise = [Draws(962, epoch).normal("noise", torch.arange(20), 1000) for epoch in (1, 2)]
    likeness = torch.corrcoef(torch.cat(noise)) - torch.eye(40)
    assert likeness.abs().max() < 6 * 1000**-0.5


def test_the_order_holds_every_sample_once_and_is_new_each_epoch() -> None:
    first, second = (Draws(962, epoch).order(100) for epoch in (1, 2))
    assert sorted(first.tolist()) == list(range(100))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("number", [0, 1, 7])
def test_what_torch_draws_depends_on_the_number_alone(number: int) -> None:
    before, drawn = torch.get_rng_state(), []
    for _ in range(2):
        with Draws(962, 1).seeded(number, "cpu"):
            drawn.append(torch.rand(3))
    assert torch.equal(*drawn)
    assert torch.equal(torch.get_rng_state(), before)
    with Draws(962, 1).seeded(number + 1, "cpu"):
        assert not torch.equal(torch.rand(3), drawn[0])
