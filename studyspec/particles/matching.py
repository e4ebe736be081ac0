"""Matching: which particles of a label a network found, missed, invented, merged and split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from studyspec.particles.objects import Labels, at_border, diameters_px

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
LEAST_IOU = 0.5


@dataclass(frozen=True)
class Matching:
    """The particles of a label beside those that a network sees.

    Two are one where the intersection is more than half of the union: then neither has a second.

    Attributes
    ----------
    iou
        (L,), of each labelled particle with the one that is found in its place; 0 if none is.
    partner
        (L,), which one that is, from 0; -1 if none is.
    merged
        (L,): whether a predicted particle holds most of it, and most of another one.
    split
        (L,): whether it holds most of two or more predicted particles.
    invented
        (P,): whether a predicted particle is no match, no merger and no part of a split one.
    labelled_px, predicted_px
        (L,) and (P,), diameters of the circles of their areas [px].
    labelled_inside, predicted_inside
        (L,) and (P,): whether they are off the border.
    """

    iou: Numbers
    partner: npt.NDArray[np.int64]
    merged: Flags
    split: Flags
    invented: Flags
    labelled_px: Numbers
    predicted_px: Numbers
    labelled_inside: Flags
    predicted_inside: Flags

    @property
    def found(self) -> Flags:
        """(L,): whether a labelled particle is found."""
        return self.partner >= 0

    @property
    def missed(self) -> Flags:
        """(L,): whether it is neither found nor merged nor split."""
        return ~(self.found | self.merged | self.split)

    @property
    def pairs_px(self) -> Numbers:
        """Diameters of label and prediction, (N, 2), of matches that are both off the border."""
        sure = self.found & self.labelled_inside
        sure &= self.predicted_inside[self.partner] if self.predicted_inside.size else False
        return np.stack([self.labelled_px[sure], self.predicted_px[self.partner[sure]]], axis=1)


def match(labelled: Labels, predicted: Labels) -> Matching:
    """Match the particles of two label images, (H, W).

    References
    ----------
    A. Kirillov et al., Panoptic Segmentation, CVPR (2019): an IoU above 0.5 matches uniquely.
    """
    shared = _overlaps(labelled, predicted)
    of_labelled, of_predicted = (np.bincount(one.reshape(-1))[1:] for one in (labelled, predicted))
    union = of_labelled[:, None] + of_predicted - shared
    iou = np.asarray(shared / np.maximum(union, 1), np.float64)
    hit = iou > LEAST_IOU
    found = hit.any(axis=1)
    partner = np.where(found, hit.argmax(axis=1) if hit.shape[1] else 0, -1)
    swallowed = 2 * shared > of_labelled[:, None]
    fragment = 2 * shared > of_predicted
    mergers = swallowed.sum(axis=0) > 1
    split = fragment.sum(axis=1) > 1
    invented = ~(hit.any(axis=0) | mergers | fragment[split].any(axis=0))
    return Matching(
        iou=np.where(hit, iou, 0.0).sum(axis=1),
        partner=partner.astype(np.int64),
        merged=np.asarray(swallowed[:, mergers].any(axis=1)),
        split=split,
        invented=invented,
        labelled_px=diameters_px(labelled),
        predicted_px=diameters_px(predicted),
        labelled_inside=~at_border(labelled),
        predicted_inside=~at_border(predicted),
    )


def _overlaps(labelled: Labels, predicted: Labels) -> npt.NDArray[np.int64]:
    """Shared pixels of each two particles, (L, P)."""
    n, m = (int(one.max(initial=0)) + 1 for one in (labelled, predicted))
    pairs = labelled.reshape(-1).astype(np.int64) * m + predicted.reshape(-1)
    return np.bincount(pairs, minlength=n * m).reshape(n, m)[1:, 1:]
