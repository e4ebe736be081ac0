"""Rotation by a random angle, bilinear, corners filled with the background's median."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from studyspec.plugins.contracts import Augmentation, Draws
from studyspec.plugins.settings import Settings
from studyspec.plugins.values import Samples

if TYPE_CHECKING:
    from torch import Tensor


FULL_VALUE = 1 - 1e-5
"""A bilinear label value above this is 1, but for rounding."""


class RotationSettings(Settings):
    """Rotation of training samples by a uniform random angle."""

    probability: Annotated[float, Field(ge=0.0, le=1.0)] = Field(
        0.5, description="Share of the training samples rotated."
    )
    label_rule: Literal["half", "published"] = Field(
        "half",
        description="A rotated label pixel is particle if its bilinear value is > 0.5 (half) or 1 "
        "(published, which erodes small particles).",
    )


class Rotation(Augmentation[RotationSettings]):
    """The augmentation `[augment.rotation]`."""

    name = "rotation"
    settings = RotationSettings
    standard = True
    position = 400

    def active(self, settings: RotationSettings) -> bool:
        """If any sample is rotated."""
        return settings.probability > 0

    def describe(self, settings: RotationSettings) -> str:
        """How many, and the rule for labels."""
        rule = "> 0.5" if settings.label_rule == "half" else "= 1"
        return (
            f"{settings.probability:.0%} rotated by a random angle (a label pixel is particle if "
            f"its interpolated value is {rule})"
        )

    def apply(self, samples: Samples, settings: RotationSettings, draws: Draws) -> Samples:
        """Rotate a share of the samples, each by an angle of its own."""
        import torch

        images, labels, numbers = samples.images, samples.labels, samples.numbers
        chosen = draws.uniform("rotate", numbers) < settings.probability
        where = torch.nonzero(chosen).squeeze(1)
        if len(where) == 0:
            return samples
        angle = 2 * torch.pi * draws.uniform("angle", numbers[where])
        rule = settings.label_rule
        turned_images, turned_labels = turned(images[where], labels[where], angle, rule)
        return replace(
            samples,
            images=images.index_copy(0, where, turned_images),
            labels=labels.index_copy(0, where, turned_labels),
        )


def turned(images: Tensor, labels: Tensor, angle: Tensor, rule: str) -> tuple[Tensor, Tensor]:
    """Turn squares about their centres, bilinearly.

    Parameters
    ----------
    images, labels
        (B, P, P). Corners are filled with the median of the patch's background, labels with 0.
    angle
        One for each square [rad], (B,).
    rule
        A label pixel is particle if its bilinear value is > 0.5 ("half") or 1 ("published").
    """
    import torch
    import torch.nn.functional as F

    fill = background_median(images, labels)[:, None, None]
    stack = torch.stack([images - fill, labels.float()], dim=1)
    cos, sin, zero = torch.cos(angle), torch.sin(angle), torch.zeros_like(angle)
    matrix = torch.stack([cos, -sin, zero, sin, cos, zero], dim=1).view(-1, 2, 3)
    grid = F.affine_grid(matrix, list(stack.shape), align_corners=False)
    moved = F.grid_sample(stack, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    limit = 0.5 if rule == "half" else FULL_VALUE
    return moved[:, 0] + fill, (moved[:, 1] > limit).to(labels.dtype)


def background_median(images: Tensor, labels: Tensor) -> Tensor:
    """Median of the background pixels of each patch, of all its pixels if there is none; (B,).

    Of an even number of pixels, the lower of the two in the middle.
    """
    flat, particle = images.flatten(1), labels.flatten(1) > 0
    particle = particle & ~particle.all(dim=1, keepdim=True)
    return flat.masked_fill(particle, float("nan")).nanmedian(dim=1).values


ROTATION = Rotation()
