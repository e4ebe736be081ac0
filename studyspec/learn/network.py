"""The residual U-Net of Sytwu et al. (2023), with parameter names as in their released networks.

Names: `downs.0` to `downs.3` and `bottleneck` are levels 1 to 5 of the encoder, `ups.0` to `ups.3`
levels 4 to 1 of the decoder, `final_conv` the classes. A block holds `conv1`, `bn1`, `conv2`, `bn2`
and `conv_add`, the 1x1 convolution of its input. A released state dict loads without change.
"""

from __future__ import annotations

from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studyspec.learn.norms import BatchNorm
from studyspec.spec.settings import ModelSettings

LEVELS = 5
SHRINKAGE = 2 ** (LEVELS - 1)
"""The bottleneck sees images this many times smaller."""
CLASSES = 2


class ResidualBlock(nn.Module):
    """conv-BN-ReLU-conv-BN plus a 1x1 convolution of the input, then ReLU."""

    def __init__(self, channels: tuple[int, int], kernels: tuple[int, int], dilation: int) -> None:
        super().__init__()
        first, last = channels
        self.conv1 = _same_size(first, last, kernels[0], dilation)
        self.bn1 = BatchNorm(last)
        self.conv2 = _same_size(last, last, kernels[1], dilation)
        self.bn2 = BatchNorm(last)
        self.conv_add = nn.Conv2d(first, last, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, first, H, W) -> (B, last, H, W)."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + self._shortcut(x).to(y.dtype))

    def _shortcut(self, x: Tensor) -> Tensor:
        if x.shape[1] > 1:
            return self.conv_add(x)  # type: ignore[no-any-return]
        # One channel needs no more than a product: on a CPU several times faster.
        weight, bias = self.conv_add.parameters()
        return x * weight.view(1, -1, 1, 1) + bias.view(1, -1, 1, 1)


class ResidualUNet(nn.Module):
    """Four levels and a bottleneck; 2x2 max pooling, nearest upsampling, skip first."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        filters = [settings.first_filters * 2**level for level in range(LEVELS)]
        pairs = list(zip(settings.kernel_sizes[::2], settings.kernel_sizes[1::2], strict=True))
        blocks = [
            ResidualBlock((before, after), pairs[level], settings.dilations[level])
            for level, (before, after) in enumerate(zip([1, *filters], filters, strict=False))
        ]
        self.downs = nn.ModuleList(blocks[:-1])
        self.bottleneck = blocks[-1]
        self.ups = nn.ModuleList(
            ResidualBlock(
                (filters[level] + filters[level + 1], filters[level]),
                pairs[level],
                settings.dilations[level],
            )
            for level in reversed(range(LEVELS - 1))
        )
        self.final_conv = nn.Conv2d(filters[0], CLASSES, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of background and particle: (B, 1, H, W) -> (B, 2, H, W); H, W multiples of 16."""
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottleneck(x)
        for up in self.ups:
            x = up(torch.cat([skips.pop(), F.interpolate(x, scale_factor=2.0)], dim=1))
        return self.final_conv(x)  # type: ignore[no-any-return]


def build(settings: ModelSettings, seed: int) -> ResidualUNet:
    """A network with fresh weights: He-normal (fan-in) in the blocks, the rest as torch makes it.

    The same seed gives the same weights; torch's global random state is left as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ResidualUNet(settings)
        for block in network.modules():
            if isinstance(block, ResidualBlock):
                for convolution in (block.conv1, block.conv2, block.conv_add):
                    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    return network


Network = TypeVar("Network", bound=nn.Module)
AnyNetwork = nn.Module
"""Whatever turns images (B, 1, H, W) into logits (B, 2, H, W): ours, or one of others."""


def placed(network: Network, device: str) -> Network:
    """The network itself, moved to a device; ours with weights laid out channels last."""
    if not isinstance(network, ResidualUNet):
        return network.to(device)
    return network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def count_parameters(settings: ModelSettings) -> int:
    """Number of trainable parameters; 130,682 with the published settings."""
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in ResidualUNet(settings).parameters())


def _same_size(first: int, last: int, kernel: int, dilation: int) -> nn.Conv2d:
    return nn.Conv2d(first, last, kernel, padding=dilation * (kernel // 2), dilation=dilation)
