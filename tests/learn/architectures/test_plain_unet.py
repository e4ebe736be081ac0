from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from studyspec.learn.architectures.plain_unet import PLAIN_UNET, PlainUNetSettings
from studyspec.learn.building import build, count_parameters
from tests.learn.patches import model
from tests.tolerances import RELATIVE


def test_the_published_network_has_31030658_parameters_without_its_norms() -> None:
    norms = 2 * 2 * (2 * (64 + 128 + 256 + 512) + 1024)
    published = model(name="plain_unet", first_filters=64)
    assert count_parameters(published) == 31_030_658 + norms


def test_logits_are_those_of_the_layers_of_the_paper() -> None:
    network = build(model(name="plain_unet", first_filters=2, levels=2), 1).eval()
    x = torch.randn(2, 1, 16, 24, generator=torch.Generator().manual_seed(2))
    state = network.state_dict()
    with torch.no_grad():
        first = _block(x, state, "downs.0")
        second = _block(F.max_pool2d(first, 2), state, "downs.1")
        y = _block(F.max_pool2d(second, 2), state, "bottleneck")
        for step, skip in enumerate((second, first)):
            names = f"enlargements.{step}.weight", f"enlargements.{step}.bias"
            y = F.conv_transpose2d(y, state[names[0]], state[names[1]], stride=2)
            y = _block(torch.cat([skip, y], dim=1), state, f"ups.{step}")
        expected = F.conv2d(y, state["final_conv.weight"], state["final_conv.bias"])
        torch.testing.assert_close(network(x), expected, rtol=RELATIVE, atol=RELATIVE)


def _block(x: Tensor, state: dict[str, Tensor], name: str) -> Tensor:
    for i in (1, 2):
        weight, bias = state[f"{name}.conv{i}.weight"], state[f"{name}.conv{i}.bias"]
        x = F.relu(F.conv2d(x, weight, bias, padding=1) / (1 + 1e-5) ** 0.5)
    return x


@pytest.mark.parametrize("levels", [1, 4, 6])
def test_it_halves_images_as_often_as_it_says(levels: int) -> None:
    settings = PlainUNetSettings(levels=levels, first_filters=1)
    edge = PLAIN_UNET.shrinkage(settings)
    assert edge == 2**levels
    network = build(model(name="plain_unet", levels=levels, first_filters=1), 1).eval()
    assert network(torch.zeros(1, 1, edge, 2 * edge)).shape == (1, 2, edge, 2 * edge)


def test_it_says_what_it_is() -> None:
    said = PLAIN_UNET.describe(PlainUNetSettings(norm="group"))
    assert said == "plain U-Net, 4 levels, first level 4 filters, group norm"
