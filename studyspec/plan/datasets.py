"""Resolved datasets: the images that a study's filters chose, with their hashes. Opens no file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from studyspec.catalog.row import Cell, ImageRow
from studyspec.images.choice import draw
from studyspec.images.door import Identity
from studyspec.spec.filters import DatasetFilter
from studyspec.spec.names import Member, set_members


@dataclass(frozen=True)
class PlannedImage:
    """One image of a dataset. A hash of None: the file is not here yet and bears no pin."""

    row: ImageRow
    label: Literal["drawn", "exact"]
    image_sha256: str | None
    label_sha256: str | None

    @classmethod
    def of(
        cls, row: ImageRow, label: Literal["drawn", "exact"], known: Identity | None
    ) -> PlannedImage:
        """An image whose hashes are known, or not yet."""
        if known is None:
            return cls(row, label, None, None)
        return cls(row, label, known.image_sha256, known.label_sha256)

    @property
    def fetched(self) -> bool:
        """Whether both hashes are known."""
        return self.image_sha256 is not None and self.label_sha256 is not None

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where the image and its label are, as the catalog writes it."""
        label = self.row.label_uri if self.label == "drawn" else self.row.exact_label_uri
        return tuple(uri for uri in (self.row.image_uri, label) if uri is not None)

    def columns(self, names: Sequence[str]) -> dict[str, Cell]:
        """The catalog's values of some columns, as JSON."""
        told = self.row.to_json() if names else {}
        return {name: told.get(name) for name in names}

    def hashed_row(self) -> ImageRow:
        """The catalog row with the hashes filled in."""
        return replace(self.row, image_sha256=self.image_sha256, label_sha256=self.label_sha256)


@dataclass(frozen=True)
class ResolvedDataset:
    """A dataset of the study file and its images, in catalog row order."""

    name: str
    filter: DatasetFilter
    images: tuple[PlannedImage, ...]

    def drawn(self, n: int) -> ResolvedDataset:
        """The same with n of its images, drawn by its seed; with all if there are not as many."""
        names = [image.row.image_id for image in self.images]
        kept = draw(names, n, self.filter.take_seed)
        return replace(self, images=tuple(self.images[i] for i in kept))


@dataclass(frozen=True)
class ImageSet:
    """What a cell of the matrix names: a dataset, or several or a part of them ("Au:64+Ag")."""

    name: str
    members: tuple[ResolvedDataset, ...]

    @property
    def images(self) -> tuple[PlannedImage, ...]:
        """All images, member after member."""
        return tuple(image for member in self.members for image in member.images)


def image_set(name: str, datasets: Mapping[str, ResolvedDataset]) -> ImageSet:
    """The dataset or union of this name."""

    def member(one: Member) -> ResolvedDataset:
        whole = datasets[one.dataset]
        return whole if one.take is None else whole.drawn(one.take)

    return ImageSet(name, tuple(member(one) for one in set_members(name)))


def same_images(a: Sequence[PlannedImage], b: Sequence[PlannedImage]) -> tuple[int, ...]:
    """Positions in `b` of the images that `a` holds too, whatever their labels."""
    held = {_identity(image) for image in a}
    return tuple(i for i, image in enumerate(b) if _identity(image) in held)


def doubles(images: Sequence[PlannedImage]) -> tuple[tuple[int, ...], ...]:
    """Positions of images that are one image under several names, a tuple for each such image."""
    found: dict[str, list[int]] = {}
    for i, image in enumerate(images):
        found.setdefault(_identity(image), []).append(i)
    return tuple(tuple(same) for same in found.values() if len(same) > 1)


def _identity(image: PlannedImage) -> str:
    return image.image_sha256 or image.row.image_uri
