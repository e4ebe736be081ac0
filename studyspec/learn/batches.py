"""Patches as arrays, and the samples of a batch that are taken from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from studyspec.learn.crops import crop, shifts
from studyspec.learn.draws import Draws
from studyspec.plugins.values import Samples


@dataclass(frozen=True)
class PatchSet:
    """Patches to train or to validate with.

    Attributes
    ----------
    images, labels
        (N, P, P), float32 and uint8 (1 is particle).
    values
        What augmentations read of each patch, by the name of the catalog column or fact, (N,).
    around
        Positions of the patches around each one in its image, (N, 3, 3); -1 where there is none.
        If given, samples are crops at random places of the patches.
    """

    images: npt.NDArray[np.float32]
    labels: npt.NDArray[np.uint8]
    values: Mapping[str, npt.NDArray[np.float32]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    around: npt.NDArray[np.int64] | None = None

    def take(self, positions: Tensor, numbers: Tensor, device: str, draws: Draws) -> Samples:
        """The patches at some positions as samples of these numbers, (B,) each, on a device."""
        which = positions.numpy()

        def here(array: npt.NDArray[np.generic]) -> Tensor:
            return torch.from_numpy(array).to(device)

        images, labels = self._squares(which, numbers, draws)
        values = {name: here(each[which]) for name, each in self.values.items()}
        return Samples(here(images), here(labels), numbers.to(device), values)

    def _squares(
        self, which: npt.NDArray[np.int64], numbers: Tensor, draws: Draws
    ) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
        """The patches at some positions, or a crop near each; with labels."""
        if self.around is None:
            return self.images[which], self.labels[which]
        around = self.around[which]
        moved = shifts(draws, numbers, around, self.images.shape[-1])
        return crop(self.images, around, moved), crop(self.labels, around, moved)
