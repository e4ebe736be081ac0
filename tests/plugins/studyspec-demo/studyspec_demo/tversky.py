"""The Tversky loss (Salehi, Erdogmus and Gholipour 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from studyspec.plugins.contracts import Loss
from studyspec.plugins.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor


class TverskySettings(Settings):
    """Tversky loss: one less a dice whose two kinds of mistakes have weights."""

    false_positives: float = Field(0.5, gt=0, description="Weight of false positives.")
    false_negatives: float = Field(0.5, gt=0, description="Weight of false negatives.")


class Tversky(Loss[TverskySettings]):
    """`training.loss.name = "tversky"`."""

    name = "tversky"
    settings = TverskySettings

    def describe(self, settings: TverskySettings) -> str:
        """Its weights."""
        return f"Tversky loss ({settings.false_positives:g}, {settings.false_negatives:g})"

    def loss(self, logits: Tensor, labels: Tensor, settings: TverskySettings) -> Tensor:
        """One number for a batch."""
        p, y = logits.softmax(dim=1)[:, 1], labels.float()
        hit = (p * y).sum()
        wrong = settings.false_positives * (p * (1 - y)).sum()
        wrong = wrong + settings.false_negatives * ((1 - p) * y).sum()
        return 1 - (hit + 1) / (hit + wrong + 1)


TVERSKY = Tversky()
