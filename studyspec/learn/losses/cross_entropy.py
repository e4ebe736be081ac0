"""Cross-entropy, the loss of Sytwu et al. (2023)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studyspec.plugins.contracts import Loss
from studyspec.plugins.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor


class CrossEntropySettings(Settings):
    """Cross-entropy, the mean over the pixels."""


class CrossEntropy(Loss[CrossEntropySettings]):
    """`training.loss.name = "cross_entropy"`."""

    name = "cross_entropy"
    settings = CrossEntropySettings

    def describe(self, settings: CrossEntropySettings) -> str:
        """Its name."""
        return "cross-entropy"

    def loss(self, logits: Tensor, labels: Tensor, settings: CrossEntropySettings) -> Tensor:
        """The mean over the pixels [nat]."""
        from torch.nn.functional import cross_entropy

        return cross_entropy(logits, labels)


CROSS_ENTROPY = CrossEntropy()
