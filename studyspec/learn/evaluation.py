"""Evaluation: the counts of every patch in every form. Scores are made of them elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from studyspec.learn.augment import FORMS, dihedral
from studyspec.learn.devices import memory_watch
from studyspec.learn.network import ResidualUNet

Whole = npt.NDArray[np.int64]
Real = npt.NDArray[np.float64]
BATCH = 16


@dataclass(frozen=True)
class Counts:
    """Counts of N patches in K forms, each of shape (N, K).

    Form k is that of `augment.dihedral`: k quarter turns, from 4 on after a flip. The soft counts
    are sums over pixels of the particle probability p and of p where the label is particle, twice
    the one over the other being the soft dice: 2 sum(p y) / (sum(p) + sum(y)).

    Attributes
    ----------
    tp, fp, fn, tn
        Pixels, decided by p > 0.5; a tie is background.
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
    network: ResidualUNet,
    images: npt.NDArray[np.float32],
    labels: npt.NDArray[np.uint8],
    in_all_forms: bool,
    device: str = "cpu",
) -> Counts:
    """Count a network's hits and misses, patch by patch and form by form.

    Parameters
    ----------
    network
        In any mode; used in evaluation mode, in float32.
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
    network = network.to(device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    forms = range(FORMS if in_all_forms else 1)
    parts: list[Tensor] = []
    with memory_watch():
        for start in range(0, len(images), BATCH):
            x = torch.from_numpy(images[start : start + BATCH]).to(device)
            y = torch.from_numpy(labels[start : start + BATCH]).to(device)
            each = [_count(network, dihedral(x, form), dihedral(y, form)) for form in forms]
            parts.append(torch.stack(each, dim=1).cpu())
    table = torch.cat(parts).numpy() if parts else np.empty((0, len(forms), 7))
    tp, fp, fn, tn = (table[..., i].astype(np.int64) for i in range(4))
    return Counts(tp, fp, fn, tn, table[..., 4], table[..., 5], table[..., 6])


def _count(network: ResidualUNet, x: Tensor, y: Tensor) -> Tensor:
    """The seven counts of each patch, (B, 7) float64."""
    logits = network(x[:, None].contiguous(memory_format=torch.channels_last)).float()
    truth = y.bool()
    particle = logits[:, 1] > logits[:, 0]
    p = torch.softmax(logits, dim=1)[:, 1].double()
    loss = F.cross_entropy(logits, y.long(), reduction="none").double()
    columns = [
        particle & truth,
        particle & ~truth,
        ~particle & truth,
        ~particle & ~truth,
        loss,
        p * truth,
        p + truth,
    ]
    return torch.stack([column.double().sum(dim=(1, 2)) for column in columns], dim=1)
