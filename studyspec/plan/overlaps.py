"""Overlaps: a training set whose members share images cannot hold them out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from studyspec.plan.datasets import ResolvedDataset, image_set, same_images
from studyspec.spec.variants import Variant


@dataclass(frozen=True)
class Overlap:
    """Two members of a training union that share images: no fold holds those out."""

    variant: str
    union: str
    first: str
    second: str
    images: tuple[str, ...]

    @property
    def text(self) -> str:
        """What is wrong, in one sentence."""
        n = len(self.images)
        some = f"{n} image{'s' if n > 1 else ''} ({self.images[0]}{', ...' if n > 1 else ''})"
        return (
            f"'{self.first}' and '{self.second}' share {some}, so no fold of '{self.union}' can "
            "hold them out of training"
        )


def overlaps(
    variants: Sequence[Variant], datasets: Mapping[str, ResolvedDataset]
) -> Iterator[Overlap]:
    """Every overlap in the training unions of the variants, once for each union."""
    seen: set[str] = set()
    for variant in variants:
        for train, _ in variant.pairs:
            if train in seen:
                continue
            seen.add(train)
            for a, b in combinations(image_set(train, datasets).members, 2):
                shared = same_images(a.images, b.images)
                if shared:
                    ids = tuple(b.images[i].row.image_id for i in shared)
                    yield Overlap(variant.name, train, a.name, b.name, ids)
