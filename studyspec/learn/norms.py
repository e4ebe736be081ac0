"""The norms of our networks: batch (Ioffe and Szegedy 2015), instance (Ulyanov et al. 2016), group.

Batch norm is fast for few channels on a CPU, where torch's takes a quarter of a training: with
channels last, neighbours in memory are of different channels; of 4 or fewer, torch's loops use
a fraction of the processor's vectors. Here 16 pixels with all their channels count as one row.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

from studyspec.errors import LearnError
from studyspec.learn.architectures.residual_unet import Norm

GROUPS = 8
FEW = 4
ROW_PX = 16


def norm(kind: Norm, channels: int) -> nn.Module:
    """A norm of (B, C, H, W) with a scale and a shift for each channel.

    Group norm (Wu and He 2018) has 8 groups, or fewer where 8 does not divide the channels.
    """
    if kind == "instance":
        return InstanceNorm(channels, affine=True)
    if kind == "group":
        return nn.GroupNorm(math.gcd(channels, GROUPS), channels)
    return BatchNorm(channels)


class InstanceNorm(nn.InstanceNorm2d):
    """As `nn.InstanceNorm2d`; of a single pixel, which has no spread, it says so."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        if x.shape[2] * x.shape[3] < 2:
            raise LearnError(
                "the deepest level of the network leaves instance norm a single pixel",
                hint="set a larger preprocess.patch.size, or model.norm = 'group'",
            )
        return super().forward(x)


class BatchNorm(nn.BatchNorm2d):
    """As `nn.BatchNorm2d`, but for rounding; the same names, the same weights."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        few = x.shape[1] <= FEW and x[0, 0].numel() % ROW_PX == 0
        plain = x.device.type == "cpu" and x.dtype in (torch.float32, torch.bfloat16)
        channels_last = x.is_contiguous(memory_format=torch.channels_last)
        if not (self.training and few and plain and channels_last):
            return super().forward(x)
        y, mean, variance = _Normalize.apply(x, self.weight, self.bias, self.eps)  # type: ignore[no-untyped-call]
        self._remember(mean, variance, x.numel() // x.shape[1])
        return y  # type: ignore[no-any-return]

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, n: int) -> None:
        kept, momentum = dict(self.named_buffers()), self.momentum or 0.0
        kept["running_mean"].lerp_(mean, momentum)
        kept["running_var"].lerp_(variance * (n / (n - 1)), momentum)
        kept["num_batches_tracked"].add_(1)


class _Normalize(torch.autograd.Function):
    """x, weight, bias, eps -> weight (x - mean) / sqrt(variance + eps) + bias, mean, variance."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, x: Tensor, weight: Tensor, bias: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        rows = _rows(x).float()
        mean = _mean(rows, weight)
        centred = rows - mean.repeat(ROW_PX)
        variance = _mean(centred.square(), weight)
        scale = torch.rsqrt(variance + eps)
        ctx.save_for_backward(centred, scale, weight)
        ctx.mark_non_differentiable(mean, variance)
        y = torch.addcmul(bias.repeat(ROW_PX), centred, (weight * scale).repeat(ROW_PX))
        return _images(y, x), mean, variance

    @staticmethod
    def backward(  # Any: torch types a context without what was saved in it
        ctx: Any, grad: Tensor, *_: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, None]:
        centred, scale, weight = ctx.saved_tensors
        rows = _rows(grad).float()
        n = grad.numel() // grad.shape[1]
        mean = _mean(rows, weight)
        slope = _mean(rows * centred, weight) * scale
        steep = (weight * scale).repeat(ROW_PX)
        x_grad = torch.addcmul(-steep * mean.repeat(ROW_PX), rows, steep)
        x_grad.addcmul_(centred, -steep * (slope * scale).repeat(ROW_PX))
        return _images(x_grad, grad), slope * n, mean * n, None


def _rows(x: Tensor) -> Tensor:
    """(B, C, H, W), channels last -> (B H W / 16, 16 C); a view."""
    return x.permute(0, 2, 3, 1).reshape(-1, ROW_PX * x.shape[1])


def _images(rows: Tensor, like: Tensor) -> Tensor:
    """The inverse of `_rows`."""
    b, c, h, w = like.shape
    return rows.to(like.dtype).view(b, h, w, c).permute(0, 3, 1, 2)


def _mean(rows: Tensor, weight: Tensor) -> Tensor:
    """Mean of each channel, (C,)."""
    return rows.mean(dim=0).view(ROW_PX, len(weight)).mean(dim=0)
