"""Feasibility: what a study asks of folds that no fold can give. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from studyspec.errors import Mistake
from studyspec.images.choice import too_few
from studyspec.plan.datasets import ImageSet, ResolvedDataset, doubles, image_set, same_images
from studyspec.plan.fitting import unfitting
from studyspec.plan.lacking import lacking
from studyspec.plan.leakage import seen
from studyspec.spec.names import set_members, union_members
from studyspec.spec.origins import Origin, origin_path, origins
from studyspec.spec.starts import start_of
from studyspec.spec.variants import Variant


def infeasible(
    variants: Sequence[Variant],
    datasets: Mapping[str, ResolvedDataset],
    searched: Sequence[str] = (),
    measured: bool = False,
) -> Iterator[Mistake]:
    """Everything that no fold can give, once each; `searched` are the datasets of a search.

    `measured`: every dataset is measured, whatever is trained.
    """
    found: dict[Mistake, None] = dict.fromkeys(_seen_by_search(searched, variants, datasets))
    found |= dict.fromkeys(_too_small(variants, datasets))
    found |= dict.fromkeys(unfitting(variants, datasets, measured))
    by_name = {variant.name: variant for variant in variants}
    for variant in variants:
        chain = origins(variant, by_name)
        pairs = [(train, test) for train, test in variant.pairs if _is_set(train, datasets)]
        trained = [Origin(variant, train) for train in dict.fromkeys(train for train, _ in pairs)]
        for one in (*trained, *chain):
            found |= dict.fromkeys(_unfolded(one, datasets))
            found |= dict.fromkeys(lacking(one, datasets))
        for train, test in pairs if chain else ():
            found |= dict.fromkeys(seen((Origin(variant, train), *chain), test, datasets))
    yield from found


def _is_set(train: str, datasets: Mapping[str, ResolvedDataset]) -> bool:
    """Whether a row of the matrix is a training set; if not, it is a foreign network."""
    return all(name in datasets for name in union_members(train))


def _too_small(
    variants: Sequence[Variant], datasets: Mapping[str, ResolvedDataset]
) -> Iterator[Mistake]:
    """Datasets with fewer images than a set draws of them."""
    for variant in variants:
        start = start_of(variant.settings)
        if start is not None and start.train is not None:
            yield from _drawn(start.train, datasets, (*origin_path(variant.name), "train"))
        for name in (name for pair in variant.pairs for name in pair):
            yield from _drawn(name, datasets, ("matrix",))


def _drawn(
    name: str, datasets: Mapping[str, ResolvedDataset], path: tuple[str | int, ...]
) -> Iterator[Mistake]:
    for dataset, take in set_members(name) if _is_set(name, datasets) else ():
        if take is not None:
            yield from too_few(dataset, take, len(datasets[dataset].images), path)


def _unfolded(one: Origin, datasets: Mapping[str, ResolvedDataset]) -> Iterator[Mistake]:
    """Why the images of a training set cannot be folded."""
    union, folding = image_set(one.train, datasets), one.variant.settings.cross_validation
    yield from _overlaps(union)
    if folding.unit == "image":
        yield from _too_few(union, folding.folds)


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
        twice = sum(len(same) - 1 for same in doubles(member.images))
        n = len(member.images) - twice
        if n < folds:
            but = ", the same under several names counted once" if twice else ""
            yield Mistake(
                ("datasets", member.name),
                f"dataset '{member.name}' has {n} image{'s' if n > 1 else ''}, fewer than "
                f"{folds} folds{but}",
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
