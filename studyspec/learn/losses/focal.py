"""Focal loss (Lin et al. 2017): cross-entropy in which pixels that are right weigh little."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from studyspec.plugins.contracts import Loss
from studyspec.plugins.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor


class FocalSettings(Settings):
    """Focal loss: cross-entropy times (1 - p)^gamma, p the probability of the right class."""

    gamma: float = Field(2.0, ge=0, description="How little easy pixels weigh; 0 is cross-entropy.")
    particle_weight: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="If given, weight of particle pixels; background pixels have 1 minus it.",
        examples=[0.75],
    )


class Focal(Loss[FocalSettings]):
    """`training.loss.name = "focal"`.

    References
    ----------
    T.-Y. Lin et al., "Focal loss for dense object detection", ICCV 2017, equations 4 and 5.
    """

    name = "focal"
    settings = FocalSettings

    def describe(self, settings: FocalSettings) -> str:
        """Its exponent, and the weights of the classes if they differ."""
        said = f"focal loss, gamma {settings.gamma:g}"
        weight = settings.particle_weight
        return said if weight is None else f"{said}, particle weight {weight:g}"

    def loss(self, logits: Tensor, labels: Tensor, settings: FocalSettings) -> Tensor:
        """The mean of -w (1 - p)^gamma log p over the pixels [nat], p of the right class."""
        import torch
        from torch.nn.functional import logsigmoid

        margin = (logits[:, 1] - logits[:, 0]) * (2 * labels - 1)
        loss = -torch.exp(settings.gamma * logsigmoid(-margin)) * logsigmoid(margin)
        if settings.particle_weight is not None:
            particle = settings.particle_weight
            loss = loss * torch.where(labels > 0, particle, 1 - particle)
        return loss.mean()


FOCAL = Focal()
