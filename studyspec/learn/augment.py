"""Augmentation on the training device, vectorised; every number is drawn for its sample alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from studyspec.learn.draws import Draws
from studyspec.plugins.contracts import Augmentation
from studyspec.plugins.guard import blamed, broken_promise
from studyspec.plugins.registry import AUGMENTATIONS
from studyspec.plugins.settings import Settings
from studyspec.plugins.values import Samples
from studyspec.spec.uses import Bound, Learning

FORMS = 8
FORMS_AT = 300
"""The position of the dihedral forms among the augmentations."""


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


@dataclass(frozen=True)
class Augmenter:
    """What is done to the samples of a training.

    `dihedral` as in the settings: with "all", sample s is form s mod 8 of patch s // 8.
    """

    augmentations: Sequence[Bound[Augmentation[Settings]]]
    dihedral: str = "all"

    @classmethod
    def of(cls, learning: Learning) -> Augmenter:
        """That of a training."""
        return cls(learning.augmentations, learning.dihedral)

    def __call__(self, samples: Samples, draws: Draws, training: bool = True) -> Batch:
        """A batch of samples, augmented; in validation only by what says that it acts there too."""
        wanted = [one for one in self.augmentations if training or one.plugin.in_validation]
        for one in wanted:
            if one.plugin.position < FORMS_AT:
                samples = _augmented(one, samples, draws)
        forms = self._forms(samples.numbers, draws, training)
        if forms is not None:
            images, labels = _in_forms(samples.images, forms), _in_forms(samples.labels, forms)
            samples = replace(samples, images=images, labels=labels)
        for one in wanted:
            if one.plugin.position >= FORMS_AT:
                samples = _augmented(one, samples, draws)
        return Batch(samples.images[:, None], samples.labels.long())

    def _forms(self, numbers: Tensor, draws: Draws, training: bool) -> Tensor | None:
        if self.dihedral == "all":
            return numbers % FORMS
        if self.dihedral == "random" and training:
            return (draws.uniform("form", numbers) * FORMS).long()
        return None


def _augmented(one: Bound[Augmentation[Settings]], samples: Samples, draws: Draws) -> Samples:
    """What an augmentation makes of samples, if that is what its kind promises.

    Raises
    ------
    PluginError
        If it fails, or gives arrays of another shape or numbers that are none.
    """
    with blamed(AUGMENTATIONS.kind, one.found):
        found: object = one.plugin.apply(samples, one.settings, draws.of(one.plugin.name))
    if not isinstance(found, Samples):
        what = f"it gave a {type(found).__name__}, not Samples"
        raise broken_promise(AUGMENTATIONS.kind, one.found, what)
    for name in ("images", "labels"):
        was, now = getattr(samples, name).shape, getattr(found, name).shape
        if was != now:
            what = f"it made {name} of shape {tuple(now)} from {tuple(was)}"
            raise broken_promise(AUGMENTATIONS.kind, one.found, what)
    if not bool(torch.isfinite(found.images).all()):
        what = "it made pixels that are no numbers (NaN or infinite)"
        raise broken_promise(AUGMENTATIONS.kind, one.found, what)
    return found


def _in_forms(x: Tensor, forms: Tensor) -> Tensor:
    out = torch.empty_like(x)
    for form in range(FORMS):
        mine = torch.nonzero(forms == form).squeeze(1)
        if len(mine):
            out[mine] = dihedral(x[mine], form)
    return out
