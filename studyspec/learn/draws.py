"""Draws: random numbers that depend on what they are for and on nothing else.

Each number is a hash of (seed, purpose, epoch, split, sample[, pixel]), so that batch size, order,
workers and resuming change nothing, and no two samples share their noise. The hash is the finalizer
of SplitMix64 (Steele, Lea and Flood 2014) in torch's wrapping 64-bit integers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Purpose = Literal["order", "form", "rotate", "angle", "rho", "noise", "dose", "thinning"]
PURPOSES: tuple[Purpose, ...] = (
    "order",
    "form",
    "rotate",
    "angle",
    "rho",
    "noise",
    "dose",
    "thinning",
)


def _signed(word: int) -> int:
    """The 64-bit number with these bits, as torch's int64 holds it."""
    return (word & (2**64 - 1)) - (2**64 if word >> 63 & 1 else 0)


GOLDEN = _signed(0x9E3779B97F4A7C15)
MIX_1 = _signed(0xBF58476D1CE4E5B9)
MIX_2 = _signed(0x94D049BB133111EB)


@dataclass(frozen=True)
class Draws:
    """The random numbers of one epoch of one training, apart for each split."""

    seed: int
    epoch: int
    split: int = 0

    def order(self, n: int) -> Tensor:
        """0 to n - 1 in random order; int64 (n,), on the CPU."""
        return torch.argsort(self._bits("order", torch.arange(n)), stable=True)

    def uniform(self, purpose: Purpose, samples: Tensor) -> Tensor:
        """One number in [0, 1) for each sample; float32, shape of `samples` (int64)."""
        return _shift(self._bits(purpose, samples), 40).float() * 2.0**-24

    def normal(self, samples: Tensor, size: int, purpose: Purpose = "noise") -> Tensor:
        """Standard normal numbers, float32 (B, size), by the method of Box and Muller (1958).

        Each 64-bit hash gives two: 32 bits for the length, 32 for the angle.
        """
        pixels = torch.arange((size + 1) // 2, device=samples.device)
        bits = _mix(self._bits(purpose, samples)[:, None] ^ _mix(GOLDEN * (pixels + 1)))
        chance = (_shift(bits, 32).float() + 0.5) * 2.0**-32
        angle = (bits & (2**32 - 1)).float() * (2 * math.pi * 2.0**-32)
        length = torch.sqrt(-2 * torch.log(chance))
        pairs = torch.cat([length * torch.cos(angle), length * torch.sin(angle)], dim=1)
        return pairs[:, :size]

    def _bits(self, purpose: Purpose, samples: Tensor) -> Tensor:
        state = _mix(torch.tensor(_signed(self.seed)))
        for part in (PURPOSES.index(purpose), self.epoch, self.split):
            state = _mix(GOLDEN * (state + part + 1))
        return _mix(GOLDEN * (samples + 1) + int(state))


def _mix(x: Tensor) -> Tensor:
    x = (x ^ _shift(x, 30)) * MIX_1
    x = (x ^ _shift(x, 27)) * MIX_2
    return x ^ _shift(x, 31)


def _shift(x: Tensor, bits: int) -> Tensor:
    """A logical shift to the right: torch's own keeps the sign."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)
