"""A network without its batch norms answers as it did."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from studyspec.learn.architectures.plain_unet import PlainUNetSettings
from studyspec.learn.architectures.residual_unet import ResidualUNetSettings
from studyspec.learn.folding import folded
from studyspec.learn.unet import PlainUNet, ResidualUNet


def _taught(network: nn.Module) -> nn.Module:
    """With statistics of its own, and in evaluation mode."""
    torch.manual_seed(0)
    for norm in (m for m in network.modules() if isinstance(m, nn.BatchNorm2d)):
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias)
    for _ in range(3):
        network(torch.randn(4, 1, 32, 32) * 2 + 1)
    return network.eval()


@pytest.mark.parametrize(
    "network", [ResidualUNet(ResidualUNetSettings()), PlainUNet(PlainUNetSettings(levels=2))]
)
def test_answers_stay_the_same(network: nn.Module) -> None:
    network = _taught(network)
    x = torch.randn(2, 1, 32, 32)
    names = set(network.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(folded(network)(x), network(x), rtol=1e-4, atol=1e-4)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in folded(network).modules())
    assert set(network.state_dict()) == names


def test_what_has_no_batch_norm_of_ours_is_left_alone() -> None:
    for network in (nn.Conv2d(1, 2, 1), ResidualUNet(ResidualUNetSettings(norm="group"))):
        assert folded(network) is network
