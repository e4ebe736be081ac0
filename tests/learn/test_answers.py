from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from studyspec.learn.answers import answer


class Norm(nn.Module):
    """A batch norm, and logits of particle that are its output."""

    def __init__(self, mean: float, variance: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(1)
        assert self.norm.running_mean is not None
        assert self.norm.running_var is not None
        self.norm.running_mean.fill_(mean)
        self.norm.running_var.fill_(variance)

    def forward(self, x: Tensor) -> Tensor:
        found = self.norm(x)
        return torch.cat([torch.zeros_like(found), found], dim=1)


def test_the_shift_is_that_of_mean_and_variance() -> None:
    image = np.random.default_rng(0).normal(3, 2, (64, 64)).astype(np.float32)
    found = answer(Norm(1.0, 1.0).eval(), [image], 64).shift
    assert found is not None
    assert found.mean == pytest.approx(abs(float(image.mean()) - 1), rel=1e-4)
    assert found.spread == pytest.approx(np.log(float(image.var())), rel=1e-4)


def test_a_turned_answer_is_turned_back() -> None:
    image = np.random.default_rng(0).normal(size=(48, 32)).astype(np.float32)
    found = answer(Norm(0.0, 1.0).eval(), [image], 64)
    np.testing.assert_allclose(found.plain[0], found.turned[0], atol=1e-6)  # pixel by pixel


def test_a_network_without_batch_norm_has_no_shift() -> None:
    network = nn.Conv2d(1, 2, 1).eval()
    assert answer(network, [np.zeros((16, 16), np.float32)], 16).shift is None
