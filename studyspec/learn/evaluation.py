"""Evaluation: the counts of every patch in every form. Scores are made of them elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studyspec.learn.augment import FORMS, dihedral
from studyspec.learn.devices import memory_watch
from studyspec.learn.network import placed

Whole = npt.NDArray[np.int64]
Real = npt.NDArray[np.float64]
HELD_PX = 2**20
"""Pixels that a network sees at once, or one patch if that is larger."""


@dataclass(frozen=True)
class Counts:
    """Counts of N patches in K forms, each of shape (N, K).

    Form k is that of `augment.dihedral`: k quarter turns, from 4 on after a flip. p is the particle
    probability (softmax) of a pixel, y its label, 0 or 1. The soft dice of one patch or of many is
    2 sum(p y) / (sum(p) + sum(y)).

    Attributes
    ----------
    tp, fp, fn, tn
        Pixels, particle being p > 0.5; a tie is background.
    loss_sum
        Sum of the pixels' cross-entropies [nat].
    soft_intersection
        sum(p y).
    soft_sum
        sum(p) + sum(y).
    """

    tp: Whole
    fp: Whole
    fn: Whole
    tn: Whole
    loss_sum: Real
    soft_intersection: Real
    soft_sum: Real


@torch.no_grad()
def evaluate(
    network: nn.Module,
    images: npt.NDArray[np.float32],
    labels: npt.NDArray[np.uint8],
    in_all_forms: bool,
    device: str = "cpu",
) -> Counts:
    """Count a network's hits and misses, patch by patch and form by form.

    Parameters
    ----------
    network
        Moved to the device and set to evaluation mode; computes in float32.
    images, labels
        Patches, (N, P, P).
    in_all_forms
        All 8 dihedral forms, or the plain one.
    device
        Where to compute.

    Raises
    ------
    OutOfMemory
        If the device has too little memory.
    """
    network = placed(network, device).eval()
    forms = range(FORMS if in_all_forms else 1)
    held = max(1, HELD_PX // max(1, images[:1].size))
    parts = [torch.empty(0, len(forms), 7, dtype=torch.float64)]
    with memory_watch():
        for start in range(0, len(images), held):
            x = torch.tensor(images[start : start + held]).to(device)
            y = torch.tensor(labels[start : start + held]).to(device)
            each = [_count(network, dihedral(x, form), dihedral(y, form)) for form in forms]
            parts.append(torch.stack(each, dim=1).cpu())
    columns = torch.cat(parts).movedim(-1, 0).numpy()
    tp, fp, fn, tn = columns[:4].astype(np.int64)
    return Counts(tp, fp, fn, tn, *columns[4:])


def _count(network: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """The seven counts of each patch, (B, 7) float64, from patches and labels (B, P, P)."""
    logits = network(x[:, None])
    z = logits[:, 1] - logits[:, 0]
    p, truth = torch.sigmoid(z), y.float()
    particle = (p > 0.5).float()
    loss = F.softplus(torch.where(y > 0, -z, z))
    tp, found, there, soft = (_sum(part) for part in (particle * truth, particle, truth, p * truth))
    fp, fn = found - tp, there - tp
    tn = x[0].numel() - tp - fp - fn
    return torch.stack([tp, fp, fn, tn, _sum(loss), soft, _sum(p) + there], dim=1)


def _sum(pixels: Tensor) -> Tensor:
    """Sum over the pixels of each patch, (B, P, P) -> (B,), in float64."""
    return pixels.sum(dim=(1, 2), dtype=torch.float64)
