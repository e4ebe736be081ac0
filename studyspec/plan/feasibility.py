"""Feasibility: what a study asks of folds that no fold can give. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from studyspec.errors import Mistake
from studyspec.plan.datasets import ImageSet, ResolvedDataset, image_set, same_images
from studyspec.spec.variants import Variant


def infeasible(
    variants: Sequence[Variant],
    datasets: Mapping[str, ResolvedDataset],
    searched: Sequence[str] = (),
) -> Iterator[Mistake]:
    """Everything that no fold can give, once each; `searched` are the datasets of a search."""
    found: dict[Mistake, None] = dict.fromkeys(_seen_by_search(searched, variants, datasets))
    for variant in variants:
        for train in dict.fromkeys(train for train, _ in variant.pairs):
            if train not in datasets and "+" not in train:
                continue  # a foreign network: nothing is folded
            union = image_set(train, datasets)
            found |= dict.fromkeys(_overlaps(union))
            if variant.settings.cross_validation.unit == "image":
                found |= dict.fromkeys(_too_few(union, variant.settings.cross_validation.folds))
    yield from found


def _overlaps(union: ImageSet) -> Iterator[Mistake]:
    """Members that share images: one holds out what the other trains on."""
    for a, b in combinations(union.members, 2):
        shared = same_images(a.images, b.images)
        if shared:
            first = b.images[shared[0]].row.image_id
            n = f"{len(shared)} images, {first} among them" if len(shared) > 1 else f"image {first}"
            yield Mistake(
                ("matrix",),
                f"'{a.name}' and '{b.name}' share {n}, so no fold of '{union.name}' can hold "
                "them out of training",
                "make the members disjoint, or one dataset of them",
            )


def _too_few(union: ImageSet, folds: int) -> Iterator[Mistake]:
    """Datasets with fewer images than folds, where whole images are folded."""
    for member in union.members:
        n = len(member.images)
        if n < folds:
            yield Mistake(
                ("datasets", member.name),
                f"dataset '{member.name}' has {n} image{'s' if n > 1 else ''}, fewer than "
                f"{folds} folds",
                "widen its filter, or lower cross_validation.folds",
            )


def _seen_by_search(
    searched: Sequence[str],
    variants: Sequence[Variant],
    datasets: Mapping[str, ResolvedDataset],
) -> Iterator[Mistake]:
    """Datasets that are tested on though a search has seen their images."""
    tests = dict.fromkeys(test for variant in variants for _, test in variant.pairs)
    for name in searched:
        for test in tests:
            if same_images(datasets[name].images, image_set(test, datasets).images):
                yield Mistake(
                    ("search", "datasets"),
                    f"the search would see images of '{name}' that '{test}' tests on",
                    "search on a dataset that is not tested on, and leave it out of matrix.test",
                )
