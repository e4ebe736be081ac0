"""Dice and cross-entropy together: the loss of nnU-Net (Isensee et al. 2021)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from studyspec.plugins.contracts import Loss
from studyspec.plugins.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor


class DiceCrossEntropySettings(Settings):
    """Cross-entropy plus the soft dice that is missing to 1."""

    dice_weight: float = Field(
        1.0, gt=0, description="Weight of the dice part; that of cross-entropy is 1."
    )


class DiceCrossEntropy(Loss[DiceCrossEntropySettings]):
    """`training.loss.name = "dice_cross_entropy"`.

    References
    ----------
    F. Milletari, N. Navab, S.-A. Ahmadi, "V-Net", 3DV 2016 (dice as a loss); F. Isensee et al.,
    Nature Methods 18, 203 (2021) (the sum, dice over a whole batch).
    """

    name = "dice_cross_entropy"
    settings = DiceCrossEntropySettings

    def describe(self, settings: DiceCrossEntropySettings) -> str:
        """Its parts."""
        weight = "" if settings.dice_weight == 1 else f"{settings.dice_weight:g} times "
        return f"cross-entropy plus {weight}(1 - soft dice of the batch)"

    def loss(self, logits: Tensor, labels: Tensor, settings: DiceCrossEntropySettings) -> Tensor:
        """Cross-entropy + w (1 - (2 Σ p y + 1) / (Σ p + Σ y + 1)), the sums over all pixels."""
        import torch
        from torch.nn.functional import cross_entropy

        p, y = torch.sigmoid(logits[:, 1] - logits[:, 0]), labels.to(logits.dtype)
        dice = (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)
        return cross_entropy(logits, labels) + settings.dice_weight * (1 - dice)


DICE_CROSS_ENTROPY = DiceCrossEntropy()
