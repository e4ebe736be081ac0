from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from studyspec.errors import LearnError, PluginError
from studyspec.learn.building import (
    Promised,
    build,
    check_size,
    count_parameters,
    default_model,
    shrinkage,
)
from studyspec.plugins.contracts import Architecture
from studyspec.plugins.settings import Empty
from studyspec.spec.uses import Use
from tests.learn.patches import model, others


def test_the_published_network_has_130682_parameters() -> None:
    assert default_model() == model()
    assert count_parameters(model()) == 130_682


def test_a_seed_decides_the_weights_and_leaves_torch_as_it_was() -> None:
    before = torch.get_rng_state()
    a, b, c = (build(model(), seed).state_dict() for seed in (962, 962, 1662))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not torch.equal(a["downs.0.conv1.weight"], c["downs.0.conv1.weight"])


def test_weights_are_laid_out_as_the_architecture_says() -> None:
    weight = build(model(), 1).state_dict()["bottleneck.conv2.weight"]
    assert weight.is_contiguous(memory_format=torch.channels_last)


def test_an_architecture_that_is_not_installed_is_told() -> None:
    gone = Use(name="theirs", recipe=1)
    with pytest.raises(PluginError, match="no architecture 'theirs' is installed"):
        build(gone, 1)


@pytest.mark.parametrize(
    ("table", "size", "samples", "what"),
    [
        ({"name": "plain_unet", "levels": 5}, 48, 4, "patch.size to a multiple of 32"),
        ({}, 16, 1, "one 16 x 16 patch leaves batch norm a single pixel; set .* >= 32"),
    ],
)
def test_patches_that_a_network_cannot_take_are_told(
    table: dict[str, Any], size: int, samples: int, what: str
) -> None:
    use = model(**table)
    with pytest.raises(LearnError, match=what):
        check_size(build(use, 1), use, size, samples)
    check_size(build(use, 1), use, 2 * shrinkage(use), 1)


class Odd(Architecture[Empty]):
    """Gives whatever it is told to."""

    name, settings = "odd", Empty

    def describe(self, settings: Empty) -> str:
        return "odd"

    def build(self, settings: Empty) -> nn.Module:
        raise NotImplementedError


class Layer(nn.Module):
    """A network of one function."""

    def __init__(self, do: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.do = do

    def forward(self, x: Tensor) -> Any:
        return self.do(x)


@pytest.mark.parametrize(
    ("do", "what"),
    [
        (lambda x: x, r"gives \(2, 1, 16, 16\) for images \(2, 1, 16, 16\), not \(2, 2, 16, 16\)"),
        (lambda x: [x], "gives a list for images"),
        (lambda x: x[:, 3], "IndexError"),
        (lambda x: torch.cat([x, x / 0], 1), "logits that are no numbers"),
    ],
)
def test_a_network_that_breaks_its_promise_names_its_distribution(
    do: Callable[[Tensor], Any], what: str
) -> None:
    network = Promised(Layer(do), others(Odd(), Empty()))
    told = rf"^extras\.things:IT: architecture 'odd' of extras 1\.2 failed: .*{what}"
    with pytest.raises(PluginError, match=told):
        network(torch.ones(2, 1, 16, 16))


def test_a_network_may_diverge_after_its_first_batch_and_on_images_that_are_no_numbers() -> None:
    x = torch.ones(2, 1, 16, 16)
    network = Promised(Layer(lambda x: torch.cat([x, x], 1)), others(Odd(), Empty()))
    network(x / 0)
    later = Promised(Layer(lambda x: torch.cat([x, x], 1)), others(Odd(), Empty()))
    later(x)
    later.network.do = lambda x: torch.cat([x, x / 0], 1)  # type: ignore[assignment]
    assert torch.isinf(later(x)).any()


def test_weights_that_are_no_numbers_are_not_the_architectures_fault() -> None:
    network = Promised(Layer(lambda x: torch.cat([x, x / 0], 1)), others(Odd(), Empty()))
    network.network.weight = nn.Parameter(torch.tensor([float("nan")]))
    assert torch.isinf(network(torch.ones(2, 1, 16, 16))).any()


def test_a_lack_of_memory_is_nobodys_fault() -> None:
    def fail(x: Tensor) -> Tensor:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    with pytest.raises(RuntimeError, match="can't allocate memory"):
        Promised(Layer(fail), others(Odd(), Empty()))(torch.ones(1, 1, 16, 16))
