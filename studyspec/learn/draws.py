"""Draws: random numbers that depend on what they are for and on nothing else.

Each number is a hash of (seed, stream, epoch, split, sample[, pixel]), a stream being named by who
draws and what for, so that batch size, order, workers and resuming change nothing, and no two
samples and no two plug-ins share their noise. The hash is the finalizer of SplitMix64 (Steele, Lea
and Flood 2014) in torch's wrapping 64-bit integers.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor

NUMBERS = {
    "order": 0, "form": 1, "rotation.rotate": 2, "rotation.angle": 3, "noise.rho": 4,
    "noise.noise": 5, "thinning.dose": 6, "thinning.thinning": 7,
}  # fmt: skip
"""Streams that had numbers before they had names keep them; the others are told by their names."""


def _signed(word: int) -> int:
    """The 64-bit number with these bits, as torch's int64 holds it."""
    return (word & (2**64 - 1)) - (2**64 if word >> 63 & 1 else 0)


GOLDEN = _signed(0x9E3779B97F4A7C15)
MIX_1 = _signed(0xBF58476D1CE4E5B9)
MIX_2 = _signed(0x94D049BB133111EB)


@dataclass(frozen=True)
class Draws:
    """The random numbers of one epoch of one training, apart for each split and owner."""

    seed: int
    epoch: int
    split: int = 0
    owner: str = ""

    def of(self, owner: str) -> Draws:
        """Those of a plug-in, whose streams are its own."""
        return replace(self, owner=owner)

    def order(self, n: int) -> Tensor:
        """0 to n - 1 in random order; int64 (n,), on the CPU."""
        return torch.argsort(self._bits("order", torch.arange(n)), stable=True)

    def uniform(self, stream: str, samples: Tensor) -> Tensor:
        """One number in [0, 1) for each sample; float32, shape of `samples` (int64)."""
        return _shift(self._bits(stream, samples), 40).float() * 2.0**-24

    def normal(self, stream: str, samples: Tensor, size: int) -> Tensor:
        """Standard normal numbers, float32 (B, size), by the method of Box and Muller (1958).

        Each 64-bit hash gives two: 32 bits for the length, 32 for the angle.
        """
        pixels = torch.arange((size + 1) // 2, device=samples.device)
        bits = _mix(self._bits(stream, samples)[:, None] ^ _mix(GOLDEN * (pixels + 1)))
        chance = (_shift(bits, 32).float() + 0.5) * 2.0**-32
        angle = (bits & (2**32 - 1)).float() * (2 * math.pi * 2.0**-32)
        length = torch.sqrt(-2 * torch.log(chance))
        pairs = torch.cat([length * torch.cos(angle), length * torch.sin(angle)], dim=1)
        return pairs[:, :size]

    @contextmanager
    def seeded(self, number: int, device: str) -> Iterator[None]:
        """What torch draws by itself in the block, as dropout does, depends on `number` alone.

        Its global random state is left as it was.
        """
        cuda = device.startswith("cuda")
        seed = int(self._bits("torch", torch.tensor(number)))
        with torch.random.fork_rng(devices=[device] if cuda else []):
            torch.default_generator.manual_seed(seed)
            if cuda:
                with torch.cuda.device(device):
                    torch.cuda.manual_seed(seed)
            yield

    def _bits(self, stream: str, samples: Tensor) -> Tensor:
        name = f"{self.owner}.{stream}" if self.owner else stream
        state = _mix(torch.tensor(_signed(self.seed)))
        for part in (_number(name), self.epoch, self.split):
            state = _mix(GOLDEN * (state + part + 1))
        return _mix(GOLDEN * (samples + 1) + int(state))


def _number(stream: str) -> int:
    """What tells the numbers of a stream from those of others: 56 bits of its name's SHA-256."""
    hashed = int.from_bytes(hashlib.sha256(stream.encode()).digest()[:7])
    return NUMBERS.get(stream, hashed + len(NUMBERS))


def _mix(x: Tensor) -> Tensor:
    x = (x ^ _shift(x, 30)) * MIX_1
    x = (x ^ _shift(x, 27)) * MIX_2
    return x ^ _shift(x, 31)


def _shift(x: Tensor, bits: int) -> Tensor:
    """A logical shift to the right: torch's own keeps the sign."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)
