"""Lacking: images of training sets that do not have what an augmentation needs of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from studyspec.errors import Mistake
from studyspec.plan.datasets import ResolvedDataset, image_set
from studyspec.plan.fitting import place_of
from studyspec.plugins.guard import blamed
from studyspec.plugins.registry import AUGMENTATIONS
from studyspec.spec.origins import Origin
from studyspec.spec.uses import Learning


def lacking(one: Origin, datasets: Mapping[str, ResolvedDataset]) -> Iterator[Mistake]:
    """For each augmentation of a training the first image that will not do, and why."""
    images = image_set(one.train, datasets).images
    for use in Learning.of(one.variant.settings).augmentations:
        name = use.plugin.name
        with blamed(AUGMENTATIONS.kind, use.found):
            wrong = ((image, use.plugin.lacks(use.settings, image.row)) for image in images)
            image, fault = next(((i, found) for i, found in wrong if found), (None, None))
        if image is not None and fault is not None:
            first = next(iter(use.settings.model_dump(exclude_defaults=True)), "")
            setting = f"augment.{name}" + (f".{first}" if first else "")
            what, hint = fault
            place = place_of(one.variant, setting)
            yield Mistake(place, f"{image.row.image_id} of '{one.train}': {what}", hint)
