"""Answers: what a network says of an image, of the image turned, and how strange it finds it.

Knows prepared images; no files, no labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from studyspec.learn.prediction import MULTIPLE_PX, TILE_PX, probability

Image = npt.NDArray[np.float32]
LEAST = 1e-6
"""Variances below it say nothing."""


@dataclass(frozen=True)
class Shift:
    """How far images lie from what the batch norms of a network remember of its training.

    Attributes
    ----------
    mean
        Difference of the channels' means, in units of the remembered standard deviation.
    spread
        |log| of the ratio of the channels' variances; both are means over channels and norms.
    """

    mean: float
    spread: float


@dataclass(frozen=True)
class Answer:
    """The particle probability of the pixels of some images.

    Attributes
    ----------
    plain
        Of each image, (H, W), float32.
    turned
        Of each image turned by a quarter, turned back; (H, W), float32.
    shift
        None if the network has no batch norm that could be asked.
    """

    plain: tuple[Image, ...]
    turned: tuple[Image, ...]
    shift: Shift | None


def answer(
    network: nn.Module,
    images: Sequence[Image],
    tile_px: int = TILE_PX,
    device: str = "cpu",
    multiple_px: int = MULTIPLE_PX,
) -> Answer:
    """What a network says of prepared images, (H, W) each; its batch norms not folded away.

    Raises
    ------
    LearnError, OutOfMemory
        As `prediction.probability`.
    """

    def asked(image: Image) -> Image:
        return probability(network, image, tile_px, device, multiple_px)

    with _watched(network) as norms:
        plain = tuple(asked(image) for image in images)
    turned = tuple(
        np.ascontiguousarray(np.rot90(asked(np.ascontiguousarray(np.rot90(image))), -1))
        for image in images
    )
    return Answer(plain, turned, _shift(norms))


@dataclass
class _Norm:
    """What came to one batch norm: sums over pixels, for each channel."""

    norm: nn.BatchNorm2d
    n: int = 0
    total: Tensor | float = 0.0
    squares: Tensor | float = 0.0

    def see(self, _module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        """Add a batch, (B, C, H, W)."""
        x = inputs[0].detach().double()
        self.n += x.shape[0] * x.shape[2] * x.shape[3]
        self.total = self.total + x.sum(dim=(0, 2, 3)).cpu()
        self.squares = self.squares + (x**2).sum(dim=(0, 2, 3)).cpu()


@contextmanager
def _watched(network: nn.Module) -> Iterator[list[_Norm]]:
    norms = [
        _Norm(one)
        for one in network.modules()
        if isinstance(one, nn.BatchNorm2d) and one.running_mean is not None
    ]
    hooks = [one.norm.register_forward_pre_hook(one.see) for one in norms]
    try:
        yield norms
    finally:
        for hook in hooks:
            hook.remove()


def _shift(norms: Sequence[_Norm]) -> Shift | None:
    means, spreads = [], []
    for one in norms:
        before, variance = one.norm.running_mean, one.norm.running_var
        if not one.n or before is None or variance is None:
            continue
        remembered = variance.double().cpu() + LEAST
        mean = torch.as_tensor(one.total) / one.n
        seen = (torch.as_tensor(one.squares) / one.n - mean**2).clamp(min=0) + LEAST
        means.append(float(((mean - before.double().cpu()).abs() / remembered.sqrt()).mean()))
        spreads.append(float((seen / remembered).log().abs().mean()))
    return Shift(float(np.mean(means)), float(np.mean(spreads))) if means else None
