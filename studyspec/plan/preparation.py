"""Preparation: the prepare jobs of image sets, each image once for each pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from studyspec.jobs.prepare import UNFETCHED, Prepare, PrepareInputs, source_of
from studyspec.jobs.stages import Job
from studyspec.jobs.task import ImagePlace, Key, PreparedImage
from studyspec.plan.datasets import ImageSet, PlannedImage
from studyspec.spec.identity import digest
from studyspec.spec.uses import Pipeline


@dataclass(frozen=True)
class Files:
    """Where a worker finds what an image's address means; decides no result."""

    catalog: str
    cache: str
    base_address: str | None = None
    folders: tuple[str, ...] = ()


@dataclass(frozen=True)
class PreparedSet:
    """An image set under one pipeline.

    `members` are the prepare keys of each member in catalog row order; `sources` say how the
    patches of each come to be, so that a worker can make again what was deleted.
    """

    members: tuple[tuple[Key, ...], ...]
    sources: Mapping[Key, PreparedImage]

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """The prepare keys, member after member."""
        return tuple(key for member in self.members for key in member)


@dataclass
class Preparation:
    """All prepare jobs asked for so far, in the order of first need."""

    files: Files
    jobs: dict[Key, Job] = field(default_factory=dict)
    _sources: dict[Key, PreparedImage] = field(default_factory=dict)
    _sets: dict[tuple[str, str], PreparedSet] = field(default_factory=dict)

    def of(self, images: ImageSet, pipeline: Pipeline) -> PreparedSet:
        """The prepared form of an image set; equal questions give the same object."""
        asked = (images.name, digest(pipeline.written()))
        if asked not in self._sets:
            columns = pipeline.columns
            members = tuple(
                tuple(self._job(image, pipeline, columns) for image in member.images)
                for member in images.members
            )
            sources = {key: self._sources[key] for member in members for key in member}
            self._sets[asked] = PreparedSet(members, sources)
        return self._sets[asked]

    def _job(self, image: PlannedImage, pipeline: Pipeline, columns: tuple[str, ...]) -> Key:
        label = image.row.label_uri if image.label == "drawn" else image.row.exact_label_uri
        task = Prepare(
            image=image.image_sha256 or f"{UNFETCHED}{image.row.image_uri}",
            label=image.label_sha256 or f"{UNFETCHED}{label}",
            pipeline=pipeline,
            columns=image.columns(columns),
        )
        if task.key not in self.jobs:
            place = ImagePlace(
                row=image.hashed_row(),
                label=image.label,
                catalog=self.files.catalog,
                cache=self.files.cache,
                base_address=self.files.base_address,
                folders=self.files.folders,
            )
            title = f"prepare {image.row.image_id}"
            self.jobs[task.key] = Job(task, PrepareInputs(place=place), (), title)
            self._sources[task.key] = source_of(task, place)
        return task.key
