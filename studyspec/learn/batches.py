"""Patches as arrays, and the samples of a batch that are taken from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

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
    """

    images: npt.NDArray[np.float32]
    labels: npt.NDArray[np.uint8]
    values: Mapping[str, npt.NDArray[np.float32]] = field(
        default_factory=lambda: MappingProxyType({})
    )

    def take(self, positions: Tensor, numbers: Tensor, device: str) -> Samples:
        """The patches at some positions as samples of these numbers, (B,) each, on a device."""
        which = positions.numpy()

        def here(array: npt.NDArray[np.generic]) -> Tensor:
            return torch.from_numpy(array[which]).to(device)

        values = {name: here(each) for name, each in self.values.items()}
        return Samples(here(self.images), here(self.labels), numbers.to(device), values)
