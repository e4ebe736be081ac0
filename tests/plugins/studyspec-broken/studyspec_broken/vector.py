"""A loss that is no number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studyspec.plugins.contracts import Loss
from studyspec.plugins.settings import Empty

if TYPE_CHECKING:
    from torch import Tensor


class Vector(Loss[Empty]):
    """A loss for each sample."""

    name = "vector"
    settings = Empty

    def describe(self, settings: Empty) -> str:
        """Nothing good."""
        return "several losses"

    def loss(self, logits: Tensor, labels: Tensor, settings: Empty) -> Tensor:
        """Not one number."""
        return logits.mean(dim=(1, 2, 3))


VECTOR = Vector()
