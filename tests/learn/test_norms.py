from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from studyspec.learn.norms import BatchNorm


def _norms(channels: int) -> tuple[BatchNorm, nn.BatchNorm2d]:
    generator = torch.Generator().manual_seed(1)
    ours, torchs = BatchNorm(channels), nn.BatchNorm2d(channels)
    for parameter in ours.parameters():
        nn.init.normal_(parameter, 1, 0.3, generator)
    torchs.load_state_dict(copy.deepcopy(ours.state_dict()))
    return ours, torchs


def _images(channels: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    x = 3 + 2 * torch.randn(3, channels, 16, 8, generator=generator)
    return x.to(memory_format=torch.channels_last)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 8])
def test_it_is_torchs_batch_norm(channels: int) -> None:
    ours, torchs = _norms(channels)
    x, grad = _images(channels, 2), _images(channels, 3)
    results = []
    for norm in (ours, torchs):
        here = x.clone().requires_grad_()
        y = norm(here)
        y.backward(grad)
        assert here.grad is not None
        assert y.is_contiguous(memory_format=torch.channels_last)
        results.append([y, here.grad, *(p.grad for p in norm.parameters()), *norm.buffers()])
    for mine, theirs in zip(*results, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)


def test_it_is_as_exact_as_float32_can_be() -> None:
    ours, _ = _norms(4)
    x = _images(4, 5)
    mean, variance = x.double().mean((0, 2, 3)), x.double().var((0, 2, 3), correction=0)
    expected = (x - mean.view(1, 4, 1, 1)) / torch.sqrt(variance + ours.eps).view(1, 4, 1, 1)
    expected = expected * ours.weight.view(1, 4, 1, 1) + ours.bias.view(1, 4, 1, 1)
    assert (ours(x) - expected).abs().max() < 1e-6 * 4


def test_in_bfloat16_it_is_that_of_float32_rounded() -> None:
    ours, _ = _norms(4)
    x = _images(4, 2).bfloat16()
    y = ours(x)
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), ours(x.float()), rtol=2**-8, atol=1e-4)
