"""U-Nets as torch modules: the residual one of Sytwu et al. (2023) and that of Ronneberger (2015).

Names of parameters: `downs.0`, `downs.1`, ... and `bottleneck` are the levels of the encoder,
`ups.0`, `ups.1`, ... those of the decoder, lowest first, `final_conv` the classes. A residual block
holds `conv1`, `bn1`, `conv2`, `bn2` and `conv_add`, the 1x1 convolution of its input, so that a
state dict of the released networks loads without change.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studyspec.learn.architectures.plain_unet import PlainUNetSettings
from studyspec.learn.architectures.residual_unet import LEVELS, Norm, ResidualUNetSettings
from studyspec.learn.norms import norm

CLASSES = 2
SAMPLES = 16
ROW_PX = 4


class UNet(nn.Module):
    """Blocks down to a bottleneck by 2x2 max pooling and up again; the skip comes first.

    Parameters
    ----------
    encoder
        A block for each level, the bottleneck last.
    decoder
        A block for each level but the bottleneck, lowest first.
    filters
        What the last block gives.
    """

    def __init__(
        self, encoder: Sequence[nn.Module], decoder: Sequence[nn.Module], filters: int
    ) -> None:
        super().__init__()
        self.downs = nn.ModuleList(encoder[:-1])
        self.bottleneck = encoder[-1]
        self.ups = nn.ModuleList(decoder)
        self.final_conv = nn.Conv2d(filters, CLASSES, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of background and particle: (B, 1, H, W) -> (B, 2, H, W)."""
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottleneck(x)
        for step, up in enumerate(self.ups):
            x = up(torch.cat([skips.pop(), self.enlarged(x, step)], dim=1))
        return pointwise(self.final_conv, x)

    def enlarged(self, x: Tensor, step: int) -> Tensor:
        """What a step of the decoder gets from below, twice as large: nearest neighbours."""
        return F.interpolate(x, scale_factor=2.0)


class ResidualBlock(nn.Module):
    """conv-norm-ReLU-conv-norm plus a 1x1 convolution of the input, then ReLU."""

    def __init__(
        self, channels: tuple[int, int], kernels: tuple[int, int], dilation: int, kind: Norm
    ) -> None:
        super().__init__()
        first, last = channels
        self.conv1 = _same_size(first, last, kernels[0], dilation)
        self.bn1 = norm(kind, last)
        self.conv2 = _same_size(last, last, kernels[1], dilation)
        self.bn2 = norm(kind, last)
        self.conv_add = nn.Conv2d(first, last, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, first, H, W) -> (B, last, H, W)."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + self._shortcut(x).to(y.dtype))

    def _shortcut(self, x: Tensor) -> Tensor:
        if x.shape[1] == 1:
            return _one_channel(x, self.conv_add.weight, self.conv_add.bias)
        return pointwise(self.conv_add, x)


def pointwise(convolution: nn.Conv2d, x: Tensor) -> Tensor:
    """A 1x1 convolution: (B, C, H, W) -> (B, K, H, W).

    On a CPU torch does those of fewer than 16 samples by its slowest way. Pixels need not know of
    which sample they are, so that channels last they count as 16 samples, at no cost.
    """
    pixels = x.numel() // x.shape[1]
    channels_last = x.is_contiguous(memory_format=torch.channels_last)
    if x.device.type != "cpu" or len(x) >= SAMPLES or pixels % SAMPLES or not channels_last:
        return convolution(x)  # type: ignore[no-any-return]
    b, c, h, w = x.shape
    y = convolution(x.permute(0, 2, 3, 1).reshape(SAMPLES, -1, 1, c).permute(0, 3, 1, 2))
    return y.permute(0, 2, 3, 1).reshape(b, h, w, -1).permute(0, 3, 1, 2)  # type: ignore[no-any-return]


def _one_channel(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The 1x1 convolution of one channel: a product of rows of 4 pixels, the fastest on a CPU."""
    b, _, h, w = x.shape
    flat, shift = weight.flatten(), bias
    if shift is None or h * w % ROW_PX:
        return F.conv2d(x, weight, bias)
    spread = torch.kron(torch.eye(ROW_PX, dtype=flat.dtype, device=flat.device), flat[None])
    rows = torch.addmm(shift.repeat(ROW_PX), x.reshape(-1, ROW_PX), spread)
    return rows.view(b, h, w, -1).permute(0, 3, 1, 2)


class ResidualUNet(UNet):
    """The U-Net of Sytwu et al. (2023): four levels and a bottleneck of residual blocks."""

    def __init__(self, settings: ResidualUNetSettings) -> None:
        filters = [settings.first_filters * 2**level for level in range(LEVELS)]
        pairs = list(zip(settings.kernel_sizes[::2], settings.kernel_sizes[1::2], strict=True))

        def block(before: int, level: int) -> ResidualBlock:
            dilation = settings.dilations[level]
            return ResidualBlock((before, filters[level]), pairs[level], dilation, settings.norm)

        encoder = [block(before, level) for level, before in enumerate([1, *filters[:-1]])]
        decoder = [
            block(filters[level] + filters[level + 1], level)
            for level in reversed(range(LEVELS - 1))
        ]
        super().__init__(encoder, decoder, filters[0])
        for one in (*encoder, *decoder):
            for convolution in (one.conv1, one.conv2, one.conv_add):
                _he_normal(convolution)


class PlainBlock(nn.Module):
    """conv-norm-ReLU twice, 3x3."""

    def __init__(self, first: int, last: int, kind: Norm) -> None:
        super().__init__()
        self.conv1 = _same_size(first, last, 3)
        self.bn1 = norm(kind, last)
        self.conv2 = _same_size(last, last, 3)
        self.bn2 = norm(kind, last)

    def forward(self, x: Tensor) -> Tensor:
        """(B, first, H, W) -> (B, last, H, W)."""
        x = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(x)))


class PlainUNet(UNet):
    """The U-Net of Ronneberger, Fischer and Brox (2015), its convolutions padded.

    `enlargements` are the 2x2 transposed convolutions of the decoder, which halve the channels.
    """

    def __init__(self, settings: PlainUNetSettings) -> None:
        filters = [settings.first_filters * 2**level for level in range(settings.levels + 1)]
        levels = list(reversed(range(settings.levels)))
        encoder = [
            PlainBlock(before, after, settings.norm)
            for before, after in zip([1, *filters[:-1]], filters, strict=True)
        ]
        decoder = [
            PlainBlock(2 * filters[level], filters[level], settings.norm) for level in levels
        ]
        super().__init__(encoder, decoder, filters[0])
        self.enlargements = nn.ModuleList(
            nn.ConvTranspose2d(filters[level + 1], filters[level], 2, stride=2) for level in levels
        )
        for one in (*encoder, *decoder):
            _he_normal(one.conv1)
            _he_normal(one.conv2)

    def enlarged(self, x: Tensor, step: int) -> Tensor:
        """As `UNet.enlarged`, with half as many channels, by a transposed convolution."""
        return self.enlargements[step](x)  # type: ignore[no-any-return]


def _same_size(first: int, last: int, kernel: int, dilation: int = 1) -> nn.Conv2d:
    return nn.Conv2d(first, last, kernel, padding=dilation * (kernel // 2), dilation=dilation)


def _he_normal(convolution: nn.Conv2d) -> None:
    """Weights of variance 2 / fan-in (He et al. 2015)."""
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
