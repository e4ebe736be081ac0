"""Preparation: the prepare jobs of image sets, each image once for each preprocessing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from studyspec.plan.datasets import ImageSet, PlannedImage
from studyspec.plan.jobs import Job
from studyspec.spec import recipes
from studyspec.spec.identity import digest
from studyspec.spec.settings import PreprocessSettings


@dataclass(frozen=True)
class Files:
    """Where a worker finds what an image's address means; decides no result."""

    catalog: str
    cache: str
    base_address: str | None = None


@dataclass(frozen=True)
class Prepared:
    """An image set under one preprocessing.

    `members` are the prepare keys of each member in catalog row order; `inputs` are the ingredients
    and inputs of every prepare job by key, so that a worker can make again what was deleted.
    """

    members: tuple[tuple[str, ...], ...]
    inputs: Mapping[str, Any]

    @property
    def keys(self) -> list[str]:
        """The prepare keys, member after member."""
        return [key for member in self.members for key in member]


@dataclass
class Preparation:
    """All prepare jobs asked for so far, in the order of first need."""

    files: Files
    jobs: dict[str, Job] = field(default_factory=dict)
    _sets: dict[tuple[str, str], Prepared] = field(default_factory=dict)

    def of(self, images: ImageSet, preprocess: PreprocessSettings) -> Prepared:
        """The prepared form of an image set; equal questions give the same object."""
        settings = preprocess.model_dump(mode="json")
        asked = (images.name, digest(settings))
        if asked not in self._sets:
            members = tuple(
                tuple(self._job(image, settings).key for image in member.images)
                for member in images.members
            )
            inputs = {
                key: {"ingredients": self.jobs[key].ingredients, "inputs": self.jobs[key].inputs}
                for member in members
                for key in member
            }
            self._sets[asked] = Prepared(members, inputs)
        return self._sets[asked]

    def _job(self, image: PlannedImage, settings: dict[str, Any]) -> Job:
        ingredients: dict[str, Any] = {
            "stage": "prepare",
            "recipe": recipes.PREPARE,
            "image": image.image_sha256 or f"unfetched {image.row.image_uri}",
            "label": image.label_sha256 or f"unfetched {image.row.label_uri}",
            "preprocess": _read(settings),
        }
        if "resample" in ingredients["preprocess"]:
            ingredients["pixel_scale_nm"] = image.row.pixel_scale_nm
        inputs = {
            "row": image.hashed_row().to_json(),
            "label": image.label,
            "catalog": self.files.catalog,
            "cache": self.files.cache,
            "base_address": self.files.base_address,
        }
        job = Job.of(ingredients, (), inputs, f"prepare {image.row.image_id}")
        return self.jobs.setdefault(job.key, job)


def _read(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings that a prepare job reads: those of no resampling are none."""
    if settings["resample"]["pixel_scale_nm"] is not None:
        return settings
    return {name: table for name, table in settings.items() if name != "resample"}
