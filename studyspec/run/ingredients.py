"""Ingredients of jobs as the values that the stages take. Knows no results but where they lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from studyspec.catalog.row import ImageRow
from studyspec.errors import FileError
from studyspec.images.patches import Patches
from studyspec.images.prepare import prepare
from studyspec.images.source import Source
from studyspec.learn.weights import Description
from studyspec.plan.jobs import Job
from studyspec.run import selection
from studyspec.spec.settings import PreprocessSettings, StageSettings
from studyspec.store.layout import Results


def make_patches(
    ingredients: Mapping[str, Any], inputs: Mapping[str, Any], results: Results
) -> tuple[Patches, Sequence[str]]:
    """Read and prepare one image; also what there is to note about it.

    Raises
    ------
    FileError
        If the image or label is not the planned one any more.
    """
    row = ImageRow.from_json(inputs["row"])
    source = Source(
        Path(inputs["catalog"]),
        Path(inputs["cache"]),
        inputs.get("base_address"),
        results.artifacts / "twin",
    )
    identity = source.identity(row, inputs["label"])
    if (identity.image_sha256, identity.label_sha256) != (
        ingredients["image"],
        ingredients["label"],
    ):
        raise FileError(
            "the image or its label changed since the run was planned",
            where=row.image_id,
            hint="run again: what descends from it is planned anew",
        )
    labelled = source.read(row, inputs["label"])
    settings = PreprocessSettings.model_validate(ingredients["preprocess"])
    return prepare(labelled, settings), labelled.notes


def training_settings(ingredients: Mapping[str, Any]) -> StageSettings:
    """The settings that a train job reads; all others are at their defaults."""
    return StageSettings(
        augment=ingredients["augment"],
        model=ingredients["model"],
        training=ingredients["training"],
        cross_validation=selection.cross_validation_of(ingredients),
    )


def description_of(job: Job) -> Description:
    """What `predict` must know of a network: its settings and those of its images."""
    first = job.ingredients["members"][0][0]
    return Description(
        training_settings(job.ingredients).model,
        PreprocessSettings.model_validate(
            job.inputs["prepare"][first]["ingredients"]["preprocess"]
        ),
    )
