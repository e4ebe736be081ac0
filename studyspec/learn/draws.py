"""Draws: random numbers that depend on what they are for and on nothing else.

Each number is a hash of (seed, purpose, epoch, sample[, pixel]), so that batch size, order, workers
and resuming change nothing, and no two samples share their noise. The hash is two rounds of the
finalizer of SplitMix64 (Steele, Lea, Flood 2014) in torch's wrapping 64-bit integers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

GOLDEN = -0x61C8864680B583EB  # 0x9E3779B97F4A7C15 as a signed number
MIX_1 = -0x40A7B892E31B1A47  # 0xBF58476D1CE4E5B9
MIX_2 = -0x6B2FB644ECCEEE15  # 0x94D049BB133111EB
PURPOSES = ("form", "rotate", "angle", "rho", "noise", "order", "initial")


@dataclass(frozen=True)
class Draws:
    """The random numbers of one epoch of one training."""

    seed: int
    epoch: int
    split: int = 0

    def uniform(self, purpose: str, samples: Tensor) -> Tensor:
        """One number in [0, 1) for each sample; float32, shape of `samples` (int64)."""
        return _unit(self._bits(purpose, samples)).float()

    def normal(self, samples: Tensor, size: int) -> Tensor:
        """Standard normal noise, shape (B, size), float32 (Box and Muller 1958)."""
        state = self._bits("noise", samples)[:, None]
        half = (size + 1) // 2
        counter = torch.arange(half, dtype=torch.int64, device=samples.device)[None]
        radius = _unit(_mix(state + GOLDEN * (2 * counter + 1)))
        angle = _unit(_mix(state + GOLDEN * (2 * counter + 2)))
        length = torch.sqrt(-2 * torch.log1p(-radius)).float()
        turn = (2 * math.pi * angle).float()
        pair = torch.cat([length * torch.cos(turn), length * torch.sin(turn)], dim=1)
        return pair[:, :size]

    def _bits(self, purpose: str, samples: Tensor) -> Tensor:
        start = torch.tensor(self.seed, dtype=torch.int64, device=samples.device)
        for part in (PURPOSES.index(purpose), self.epoch, self.split):
            start = _mix(start * GOLDEN + part + 1)
        return _mix(start + GOLDEN * (samples + 1))


def _mix(x: Tensor) -> Tensor:
    x = (x ^ _shift(x, 30)) * MIX_1
    x = (x ^ _shift(x, 27)) * MIX_2
    return x ^ _shift(x, 31)


def _shift(x: Tensor, bits: int) -> Tensor:
    """A logical shift to the right: torch's own keeps the sign."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _unit(bits: Tensor) -> Tensor:
    """The upper 53 bits as a number in [0, 1), float64."""
    return _shift(bits, 11).double() * 2.0**-53
