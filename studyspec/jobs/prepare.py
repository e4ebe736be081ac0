"""Prepare: from an image and its label to patches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from studyspec.catalog.row import Cell
from studyspec.jobs.task import ImagePlace, Inputs, PreparedImage, Result, Task
from studyspec.plugins.contracts import Plugin
from studyspec.plugins.registry import STEPS, Registry
from studyspec.spec.uses import Pipeline, Use

if TYPE_CHECKING:
    from studyspec.images.patches import Patches
    from studyspec.jobs.workshop import Workshop

UNFETCHED = "unfetched "
"""Stands before the address of a file that is not here yet, in place of its hash."""


class PrepareInputs(Inputs):
    """Where the image is."""

    place: ImagePlace


class Prepared(Result):
    """How many patches there are, and of what; `sha256` is the digest of their files' digests.

    `dropped` are the patches that hold too little particle, and so are neither trained nor tested
    on; None in records of earlier versions.
    """

    patches: int
    height_px: int
    width_px: int
    bytes: int
    sha256: str | None = None
    particle_fraction: float | None = None
    dropped: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def headline(self) -> str:
        """The number of patches."""
        return f"{self.patches} patches"

    @property
    def remarks(self) -> tuple[str, ...]:
        """The notes, and that nothing is left of the image."""
        if self.patches or not self.dropped:
            return self.notes
        return (*self.notes, f"all {self.dropped} patches hold too little particle: none is used")


class Prepare(Task[PrepareInputs, Prepared]):
    """The patches of one image.

    Attributes
    ----------
    image, label
        Their hashes.
    pipeline
        How it is prepared.
    columns
        The catalog values that the steps read.
    """

    stage: ClassVar[str] = "prepare"
    recipe: ClassVar[int] = 1
    inputs: ClassVar[type[Inputs]] = PrepareInputs
    result: ClassVar[type[Result]] = Prepared
    noun: ClassVar[str] = "patches"

    image: str
    label: str
    pipeline: Pipeline
    columns: dict[str, Cell] = {}

    @property
    def unfetched(self) -> bool:
        """Whether image or label is not here yet."""
        return self.image.startswith(UNFETCHED) or self.label.startswith(UNFETCHED)

    def uses(self) -> Iterator[tuple[Registry[Plugin], Use]]:
        """The steps."""
        return ((STEPS, use) for use in self.pipeline.steps)

    def do(self, inputs: PrepareInputs, workshop: Workshop) -> Prepared:
        """Read, prepare, cut and save.

        Raises
        ------
        FileError
            If the image is not here, or is no longer the planned one.
        """
        patches, notes = made(self, inputs.place, workshop)
        height, width = patches.shape
        saved = workshop.save_patches(self.key, patches)
        return Prepared(
            patches=len(patches.rows),
            height_px=height,
            width_px=width,
            bytes=saved.bytes,
            sha256=saved.sha256,
            particle_fraction=float(patches.labels.mean()) if len(patches.rows) else None,
            dropped=patches.dropped,
            notes=notes,
        )


def made(task: Prepare, place: ImagePlace, workshop: Workshop) -> tuple[Patches, tuple[str, ...]]:
    """The patches of an image, and what there is to note about it; raises as `Prepare.do`."""
    from pathlib import Path

    from studyspec.errors import FileError
    from studyspec.images.door import Door
    from studyspec.images.pipeline import prepare
    from studyspec.plugins.contracts import Whereabouts

    at = Whereabouts(
        Path(place.catalog),
        Path(place.cache),
        place.base_address,
        workshop.renders,
        tuple(Path(folder) for folder in place.folders),
    )
    door = Door(at)
    identity = door.identity(place.row, place.label)
    if (identity.image_sha256, identity.label_sha256) != (task.image, task.label):
        raise FileError(
            "the image or its label changed since the run was planned",
            where=place.row.image_id,
            hint="run again: what descends from it is planned anew",
        )
    labelled = door.read(place.row, place.label)
    return prepare(labelled, task.pipeline, task.columns), labelled.notes


def source_of(task: Prepare, place: ImagePlace) -> PreparedImage:
    """How the patches of a task come to be."""
    return PreparedImage(ingredients=task.ingredients, place=place)
