"""Leakage: what a chain of networks saw of a test set that no fold holds out. Pure.

A network that started from another must not be tested on what either was trained on. Fold i starts
from fold i; so of an image that several trainings of the chain hold, they must hold out the same
part, and prepare it alike, as a place in it is a row and a column of patches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from studyspec.errors import Mistake
from studyspec.plan.datasets import ImageSet, PlannedImage, ResolvedDataset, image_set, same_images
from studyspec.spec.origins import Origin, origin_path
from studyspec.spec.uses import Pipeline


def seen(
    chain: Sequence[Origin], test: str, datasets: Mapping[str, ResolvedDataset]
) -> Iterator[Mistake]:
    """Why a test set cannot be held out of all trainings of a chain, if it cannot.

    `chain` begins with the networks that are tested, followed by those that they started from.
    """
    images = image_set(test, datasets).images
    holding = [one for one in chain if same_images(_set(one, datasets).images, images)]
    path = origin_path(chain[0].variant.name)
    for one in holding:
        if _pipeline(one) != _pipeline(chain[0]):
            yield Mistake(
                path,
                f"networks of {_title(one)} saw images of '{test}' that they prepared otherwise, "
                f"so what they held out cannot be kept from {_title(chain[0])}",
                "prepare both alike, or test on other images",
            )
    for a, b in combinations(holding, 2):
        if not _alike(a, b, images, datasets):
            yield Mistake(
                path,
                f"{_title(a)} and {_title(b)} hold images of '{test}', and hold out different "
                "parts of them, so no fold can keep both away from its test",
                "let both have that dataset whole and the same cross_validation, or test on other "
                "images",
            )


def _alike(
    a: Origin,
    b: Origin,
    images: Sequence[PlannedImage],
    datasets: Mapping[str, ResolvedDataset],
) -> bool:
    """Whether two trainings hold out the same part of those of the images that both hold."""
    first, second = _set(a, datasets), _set(b, datasets)
    tested = [images[i] for i in same_images(first.images, images)]
    both = [tested[i] for i in same_images(second.images, tested)]
    if not both:
        return True
    return _folds(a) == _folds(b) and _members(first, both) == _members(second, both)


def _members(whole: ImageSet, images: Sequence[PlannedImage]) -> list[list[tuple[str, ...]]]:
    """The members of a set that hold any of these images: all that decides their folds."""
    return [
        [(*image.addresses, str(image.image_sha256), str(image.label_sha256)) for image in m.images]
        for m in whole.members
        if same_images(m.images, images)
    ]


def _set(one: Origin, datasets: Mapping[str, ResolvedDataset]) -> ImageSet:
    return image_set(one.train, datasets)


def _pipeline(one: Origin) -> Pipeline:
    return Pipeline.of(one.variant.settings.preprocess)


def _folds(one: Origin) -> tuple[int, str, int]:
    folding = one.variant.settings.cross_validation
    return folding.folds, folding.unit, folding.shuffle_seed


def _title(one: Origin) -> str:
    return f"'{one.train}' ({one.variant.name})"
