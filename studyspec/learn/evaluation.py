"""Evaluation: the counts of every patch in every form. Scores are made of them elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studyspec.learn.augment import FORMS, dihedral
from studyspec.learn.devices import autocast, memory_watch, precision_on
from studyspec.learn.prediction import refuse_nan
from studyspec.plugins.contracts import PixelMetric
from studyspec.plugins.guard import blamed, broken_promise
from studyspec.plugins.registry import METRICS
from studyspec.plugins.settings import Settings
from studyspec.plugins.values import Value
from studyspec.spec.uses import Bound

Whole = npt.NDArray[np.int64]
Real = npt.NDArray[np.float64]
Context = Callable[[], AbstractContextManager[object]]
COUNTS = 7
HELD_PX = {"cpu": 2**17, "cuda": 2**20}
"""Pixels that a network sees at once, or one patch if that is larger: few stay in a cache."""


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
    sums
        What metrics over pixels count, by name.
    """

    tp: Whole
    fp: Whole
    fn: Whole
    tn: Whole
    loss_sum: Real
    soft_intersection: Real
    soft_sum: Real
    sums: Mapping[str, Real] = field(default_factory=lambda: MappingProxyType({}))


@torch.inference_mode()
def evaluate(
    network: nn.Module,
    images: npt.NDArray[np.float32],
    labels: npt.NDArray[np.uint8],
    in_all_forms: bool,
    device: str = "cpu",
    metrics: Sequence[Bound[PixelMetric[Settings]]] = (),
    precision: str = "float32",
    read: Mapping[str, Value] = MappingProxyType({}),
) -> Counts:
    """Count a network's hits and misses, patch by patch and form by form.

    Parameters
    ----------
    network
        Moved to the device and set to evaluation mode.
    images, labels
        Patches, (N, P, P).
    in_all_forms
        All 8 dihedral forms, or the plain one.
    device
        Where to compute.
    metrics
        Metrics over pixels, which are counted too.
    precision
        In which the network computes, as `devices.precision_on`; counts are made in float32.
    read
        What metrics read of the image that the patches are of.

    Raises
    ------
    PluginError
        If one of them fails, or does not count what it promises.
    LearnError
        If the network gives values that are no numbers.
    OutOfMemory
        If the device has too little memory.
    """
    network = network.to(device).eval()
    forms = range(FORMS if in_all_forms else 1)
    names = [name for one in metrics for name in one.plugin.sums]
    held = max(1, HELD_PX[device.partition(":")[0]] // max(1, images[:1].size))
    parts = [torch.empty(0, len(forms), COUNTS + len(names), dtype=torch.float64)]
    context = partial(autocast, device, precision_on(device, precision))
    asked = _Asked(metrics, read)
    with memory_watch():
        for start in range(0, len(images), held):
            x = torch.tensor(images[start : start + held]).to(device)
            y = torch.tensor(labels[start : start + held]).to(device)
            each = [
                _count(_logits(network, dihedral(x, form), context), dihedral(y, form), asked)
                for form in forms
            ]
            parts.append(torch.stack(each, dim=1).cpu())
    columns = torch.cat(parts).movedim(-1, 0).numpy()
    refuse_nan(torch.from_numpy(columns[4]))  # the loss: NaN if any logit of a patch is
    tp, fp, fn, tn = columns[:4].astype(np.int64)
    loss, soft_intersection, soft_sum = columns[4:COUNTS]
    sums = MappingProxyType(dict(zip(names, columns[COUNTS:], strict=True)))
    return Counts(tp, fp, fn, tn, loss, soft_intersection, soft_sum, sums)


def _logits(network: nn.Module, x: Tensor, context: Context) -> Tensor:
    """Logits of patches, (B, P, P) -> (B, 2, P, P) float32."""
    with context():
        found: Tensor = network(x[:, None])
    return found.float()


@dataclass(frozen=True)
class _Asked:
    """The metrics over pixels, and what they read of the image."""

    metrics: Sequence[Bound[PixelMetric[Settings]]]
    read: Mapping[str, Value]


def _count(logits: Tensor, y: Tensor, asked: _Asked) -> Tensor:
    """The seven counts of each patch and those of metrics, (B, 7 + S) float64; y (B, P, P)."""
    z = logits[:, 1] - logits[:, 0]
    p, truth = torch.sigmoid(z), y.float()
    particle = (p > 0.5).float()
    loss = F.softplus(torch.where(y > 0, -z, z))
    tp, found, there, soft = (_sum(part) for part in (particle * truth, particle, truth, p * truth))
    fp, fn = found - tp, there - tp
    tn = y[0].numel() - tp - fp - fn
    counts = [tp, fp, fn, tn, _sum(loss), soft, _sum(p) + there]
    more = [column for one in asked.metrics for column in _counted(one, p, y > 0, asked)]
    return torch.stack(counts + more, dim=1)


def _counted(
    one: Bound[PixelMetric[Settings]], p: Tensor, label: Tensor, asked: _Asked
) -> list[Tensor]:
    """The sums of a metric over pixels, in its order, each (B,) float64."""
    columns = {name: asked.read.get(name) for name in one.plugin.reads}
    with blamed(METRICS.kind, one.found):
        found = dict(one.plugin.count_image(p, label, one.settings, columns))
    if set(found) != set(one.plugin.sums):
        what = f"it counts {', '.join(sorted(found))}, not {', '.join(one.plugin.sums)}"
        raise broken_promise(METRICS.kind, one.found, what)
    for name, sums in found.items():
        if not isinstance(sums, Tensor) or sums.shape != p.shape[:1]:
            told = tuple(sums.shape) if isinstance(sums, Tensor) else f"a {type(sums).__name__}"
            what = f"{name} of {len(p)} patches is {told}, not ({len(p)},)"
            raise broken_promise(METRICS.kind, one.found, what)
        if not bool(torch.isfinite(sums).all()):
            raise broken_promise(METRICS.kind, one.found, f"{name} is no number (NaN or infinite)")
    return [found[name].to(p.device, torch.float64) for name in one.plugin.sums]


def _sum(pixels: Tensor) -> Tensor:
    """Sum over the pixels of each patch, (B, P, P) -> (B,), in float64."""
    return pixels.sum(dim=(1, 2), dtype=torch.float64)
