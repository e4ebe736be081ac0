from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studyspec.errors import LearnError
from studyspec.learn.architectures.residual_unet import ResidualUNetSettings
from studyspec.learn.building import build
from studyspec.learn.unet import ResidualBlock, ResidualUNet
from tests.learn.patches import model
from tests.tolerances import RELATIVE

State = dict[str, Tensor]
BLOCKS = [*(f"downs.{i}" for i in range(4)), "bottleneck", *(f"ups.{i}" for i in range(4))]
CONVOLUTION = ["weight", "bias"]
NORM = [*CONVOLUTION, "running_mean", "running_var", "num_batches_tracked"]


def test_names_are_those_of_the_released_files() -> None:
    released = {
        f"{block}.{layer}.{part}"
        for block in BLOCKS
        for layer in ("conv1", "conv2", "conv_add", "bn1", "bn2")
        for part in (NORM if layer.startswith("bn") else CONVOLUTION)
    } | {"final_conv.weight", "final_conv.bias"}
    assert set(ResidualUNet(ResidualUNetSettings()).state_dict()) == released


@pytest.mark.parametrize(
    "settings",
    [
        ResidualUNetSettings(),
        ResidualUNetSettings(
            kernel_sizes=(3, 5, 7, 3, 5, 5, 3, 7, 5, 3), dilations=(1, 2, 3, 2, 1)
        ),
    ],
)
def test_logits_are_those_of_the_layers_of_the_paper(settings: ResidualUNetSettings) -> None:
    network = _with_lived_in_norms(build(model(**settings.model_dump()), 1)).eval()
    x = torch.randn(2, 1, 32, 48, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        expected = _reference(x, network.state_dict(), settings)
        torch.testing.assert_close(
            network(x), expected, rtol=RELATIVE, atol=RELATIVE * expected.std().item()
        )


def test_the_decoder_takes_the_kernels_of_its_level() -> None:
    kernels = (3, 5, 7, 3, 5, 5, 3, 7, 5, 3)
    state = ResidualUNet(ResidualUNetSettings(kernel_sizes=kernels)).state_dict()
    pairs = [tuple(state[f"{block}.conv{i}.weight"].shape[-1] for i in (1, 2)) for block in BLOCKS]
    assert pairs == [(3, 5), (7, 3), (5, 5), (3, 7), (5, 3), (3, 7), (5, 5), (7, 3), (3, 5)]


def test_blocks_begin_he_normal_and_norms_at_one() -> None:
    state = build(model(first_filters=16), 3).state_dict()
    weight = state["bottleneck.conv2.weight"]
    assert weight.std().item() == pytest.approx((2 / weight[0].numel()) ** 0.5, rel=0.02)
    assert state["ups.0.bn2.weight"].eq(1).all()
    assert state["final_conv.weight"].abs().max() <= 16**-0.5


@pytest.mark.parametrize("kind", ["instance", "group"])
@pytest.mark.parametrize("name", ["residual_unet", "plain_unet"])
def test_other_norms_have_the_same_names(name: str, kind: str) -> None:
    made, batch = (build(model(name=name, norm=each), 1).eval() for each in (kind, "batch"))
    wanted = {name for name, _ in batch.named_parameters()}
    assert set(made.state_dict()) == wanted
    assert made(torch.randn(2, 1, 32, 32)).shape == (2, 2, 32, 32)


def test_instance_norm_of_a_single_pixel_is_told() -> None:
    network = ResidualUNet(ResidualUNetSettings(norm="instance"))
    with pytest.raises(LearnError, match=r"a single pixel; set a larger preprocess\.patch\.size"):
        network(torch.randn(2, 1, 16, 16))


def _with_lived_in_norms(network: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(4)
    for name, tensor in network.state_dict().items():
        if ".bn" in name and tensor.is_floating_point():
            tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
    return network


def _reference(x: Tensor, state: State, settings: ResidualUNetSettings) -> Tensor:
    """The network of SCIENCE.md, written down once more as plain functions."""
    skips = []
    for level in range(4):
        skips.append(_block(x, state, f"downs.{level}", settings.dilations[level]))
        x = F.max_pool2d(skips[-1], 2)
    x = _block(x, state, "bottleneck", settings.dilations[4])
    for step, level in enumerate((3, 2, 1, 0)):
        x = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        x = torch.cat([skips[level], x], dim=1)
        x = _block(x, state, f"ups.{step}", settings.dilations[level])
    return _convolve(x, state, "final_conv")


def _block(x: Tensor, state: State, name: str, dilation: int) -> Tensor:
    y = _norm(_convolve(x, state, f"{name}.conv1", dilation), state, f"{name}.bn1")
    y = _norm(_convolve(F.relu(y), state, f"{name}.conv2", dilation), state, f"{name}.bn2")
    return F.relu(y + _convolve(x, state, f"{name}.conv_add"))


def _convolve(x: Tensor, state: State, name: str, dilation: int = 1) -> Tensor:
    weight = state[f"{name}.weight"]
    pad = dilation * (weight.shape[-1] - 1) // 2
    return F.conv2d(x, weight, state[f"{name}.bias"], padding=pad, dilation=dilation)


def _norm(x: Tensor, state: State, name: str) -> Tensor:
    mean, variance, weight, bias = (
        state[f"{name}.{part}"][None, :, None, None]
        for part in ("running_mean", "running_var", "weight", "bias")
    )
    return weight * (x - mean) / torch.sqrt(variance + 1e-5) + bias


@pytest.mark.parametrize(("channels", "batch"), [(1, 2), (3, 1), (3, 5), (3, 16)])
def test_a_1x1_convolution_is_torchs(channels: int, batch: int) -> None:
    torch.manual_seed(0)
    block = ResidualBlock((channels, 4), (3, 3), 1, "batch").to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = torch.randn(batch, channels, 12, 8).to(memory_format=torch.channels_last)
    found = []
    for convolved in (block._shortcut, block.conv_add):
        here = x.clone(memory_format=torch.preserve_format).requires_grad_()
        y = convolved(here)
        block.zero_grad()
        y.square().sum().backward()
        assert y.is_contiguous(memory_format=torch.channels_last)
        found.append([y, here.grad, *(p.grad.clone() for p in block.conv_add.parameters())])
    for mine, theirs in zip(*found, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=RELATIVE, atol=RELATIVE)
