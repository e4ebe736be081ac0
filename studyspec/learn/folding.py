"""Batch norm folded into the convolution before it: the same answers, but for rounding, sooner."""

from __future__ import annotations

import copy

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from studyspec.learn.unet import PlainBlock, ResidualBlock

PAIRS = (("conv1", "bn1"), ("conv2", "bn2"))


def folded(network: nn.Module) -> nn.Module:
    """A network in evaluation mode without its batch norms; itself, if none of ours is in it."""
    if not any(_foldable(block, norm) for block in network.modules() for _, norm in PAIRS):
        return network
    network = copy.deepcopy(network)
    for block in network.modules():
        for convolution, norm in PAIRS:
            if _foldable(block, norm):
                both = getattr(block, convolution), getattr(block, norm)
                setattr(block, convolution, fuse_conv_bn_eval(*both))
                setattr(block, norm, nn.Identity())
    return network


def _foldable(block: nn.Module, norm: str) -> bool:
    ours = isinstance(block, ResidualBlock | PlainBlock)
    return ours and isinstance(getattr(block, norm), nn.BatchNorm2d)
