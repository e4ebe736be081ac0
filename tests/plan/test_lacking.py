from __future__ import annotations

from dataclasses import replace

from studyspec.catalog.row import ImageRow
from studyspec.plan.datasets import ResolvedDataset
from studyspec.plan.feasibility import infeasible
from studyspec.spec.sections import StageSettings
from tests.plan.studies import dataset, variant

THINNED = {"augment": {"thinning": {"dose_e_per_A2": 80.0}}}


def small(row: ImageRow, camera: str | None) -> ImageRow:
    row = replace(row, dose_e_per_A2=400.0, pixel_scale_nm=0.02, camera=camera)
    return replace(row, width_px=256, height_px=256)


def seen(name: str, *cameras: str | None) -> ResolvedDataset:
    """A dataset of small images, each taken by one of these cameras."""
    made = dataset(name, len(cameras))
    images = tuple(
        replace(one, row=small(one.row, camera))
        for one, camera in zip(made.images, cameras, strict=True)
    )
    return replace(made, images=images)


DATA = {
    "A": seen("A", *["Gatan OneView", "Gatan K3"] * 3),
    "B": seen("B", *["Gatan OneView"] * 5, None),
}
SMALL = {"preprocess": {"patch": {"size": 128}}}


def whats(pair: tuple[str, str], **tables: object) -> list[str]:
    settings = StageSettings.model_validate({**SMALL, **tables})
    found = infeasible([variant((pair,), settings=settings)], DATA)
    return [f"{'.'.join(map(str, one.path))}: {one.what}; {one.hint}" for one in found]


def test_an_image_whose_camera_cannot_be_known_is_told_at_the_augmentation() -> None:
    [told] = whats(("B", "A"), **THINNED)
    assert told.startswith("augment.thinning.dose_e_per_A2: B/5 of 'B': thinning knows no noise")
    assert "give camera in the catalog, one of Gatan OneView, Gatan K3, CCD, ideal, or se" in told


def test_what_is_only_tested_on_is_not_thinned() -> None:
    assert whats(("A", "B"), **THINNED) == []
    assert whats(("B", "A")) == []
