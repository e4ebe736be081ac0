"""Augmentation on the training device, vectorised; every number is drawn for its sample alone."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from studyspec.learn.draws import Draws
from studyspec.spec.settings import AugmentSettings

FORMS = 8
FULL_VALUE = 1 - 1e-5
"""A bilinear label value above this is 1, but for rounding."""


def dihedral(x: Tensor, form: int) -> Tensor:
    """One of the 8 forms of squares (..., P, P): 0 to 3 quarter turns, 4 to 7 those after a flip.

    Form k turns counter-clockwise by (k mod 4) quarters; from 4 on the columns are mirrored first.
    """
    if form >= FORMS // 2:
        x = torch.flip(x, dims=(-1,))
    return torch.rot90(x, form % 4, dims=(-2, -1))


@dataclass(frozen=True)
class Batch:
    """Samples of a batch: images (B, 1, P, P) float32 and labels (B, P, P) int64."""

    images: Tensor
    labels: Tensor


def augment(
    images: Tensor,
    labels: Tensor,
    samples: Tensor,
    settings: AugmentSettings,
    draws: Draws,
    training: bool = True,
    light: Tensor | None = None,
) -> Batch:
    """Thinning, then noise, then flips, then rotation.

    Parameters
    ----------
    images, labels
        Patches of the batch, (B, P, P), float32 and uint8.
    samples
        Number of each sample in its epoch, int64 (B,). With `dihedral = "all"`, sample s is form
        s mod 8 of patch s // 8.
    settings
        What to do.
    draws
        The random numbers of the epoch.
    training
        Validation gets noise and forms, no rotation and no random form.
    light
        How each sample was lit, (B, 3): see `thin`, which needs it.
    """
    if settings.thinning.enabled:
        if light is None:
            raise ValueError("thinning needs the light of every sample")
        images = thin(images, light, samples, settings, draws)
    images = add_noise(images, samples, settings, draws)
    forms = _forms(samples, settings, draws, training)
    if forms is not None:
        images, labels = _in_forms(images, forms), _in_forms(labels, forms)
    if training and settings.rotation.probability > 0:
        images, labels = rotate(images, labels, samples, settings, draws)
    return Batch(images[:, None], labels.long())


def thin(
    images: Tensor, light: Tensor, samples: Tensor, settings: AugmentSettings, draws: Draws
) -> Tensor:
    """Standardized images as they would be at a lower dose, standardized again; (B, P, P).

    Of n electrons a share p stays, p n ± sqrt(p (1 - p) n): binomial thinning in its normal form.
    With N electrons a pixel, and images of relative standard deviation s, that adds noise of
    variance (1 - p) / (p N) (1 + s x) / s^2 to x. An image of a lower dose stays as it is.

    Parameters
    ----------
    images, samples
        As `augment`.
    light
        Dose [e/Å^2], electrons a pixel, and relative standard deviation of each sample, (B, 3).
    """
    dose, electrons, spread = (column[:, None, None] for column in light.unbind(1))
    least = settings.thinning.least_dose_e_per_A2
    if least is None:
        wanted = torch.full_like(dose, settings.thinning.dose_e_per_A2 or 0.0)
    else:
        part = draws.uniform("dose", samples)[:, None, None]
        wanted = dose * (least / dose).clamp(max=1) ** part
    share = (wanted / dose).clamp(max=1)
    variance = (1 - share) / (share * electrons * spread**2)
    n = draws.normal(samples, images[0].numel(), "thinning").view_as(images)
    noise = torch.sqrt(variance * (1 + spread * images).clamp(min=0)) * n
    return (images + noise) / torch.sqrt(1 + variance)


def add_noise(images: Tensor, samples: Tensor, settings: AugmentSettings, draws: Draws) -> Tensor:
    """X -> (x + rho n) / sqrt(1 + rho^2), n standard normal; (B, P, P)."""
    noise = settings.noise
    if noise.rho == 0 and noise.rho_max is None:
        return images
    if noise.rho_max is None:
        rho = torch.full((len(images),), noise.rho, device=images.device)
    else:
        rho = draws.uniform("rho", samples) * noise.rho_max
    rho = rho[:, None, None]
    n = draws.normal(samples, images[0].numel()).view_as(images)
    return (images + rho * n) / torch.sqrt(1 + rho**2)


def rotate(
    images: Tensor, labels: Tensor, samples: Tensor, settings: AugmentSettings, draws: Draws
) -> tuple[Tensor, Tensor]:
    """Rotate a share of the samples, each by an angle of its own; (B, P, P) both."""
    chosen = draws.uniform("rotate", samples) < settings.rotation.probability
    where = torch.nonzero(chosen).squeeze(1)
    if len(where) == 0:
        return images, labels
    angle = 2 * torch.pi * draws.uniform("angle", samples[where])
    rule = settings.rotation.label_rule
    turned_images, turned_labels = turned(images[where], labels[where], angle, rule)
    return images.index_copy(0, where, turned_images), labels.index_copy(0, where, turned_labels)


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
    return flat.masked_fill(particle, torch.nan).nanmedian(dim=1).values


def _forms(
    samples: Tensor, settings: AugmentSettings, draws: Draws, training: bool
) -> Tensor | None:
    if settings.dihedral == "all":
        return samples % FORMS
    if settings.dihedral == "random" and training:
        return (draws.uniform("form", samples) * FORMS).long()
    return None


def _in_forms(x: Tensor, forms: Tensor) -> Tensor:
    out = torch.empty_like(x)
    for form in range(FORMS):
        mine = torch.nonzero(forms == form).squeeze(1)
        if len(mine):
            out[mine] = dihedral(x[mine], form)
    return out
