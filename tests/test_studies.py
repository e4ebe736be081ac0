"""The studies that are shipped: what they say of the paper, and that they are about its images."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from studyspec import api
from studyspec.api.workplace import study_files
from studyspec.catalog.table import Catalog
from studyspec.errors import StudySpecError

PROJECT = Path(__file__).parents[1]
STUDIES = study_files(PROJECT / "studies")
TWIN_ALONE = {"label-error": "the image has no exact label", "transfer-defocus": "matches no image"}
OF_THE_PAPER = {
    "rescaling", "sessions", "magnification", "dose", "diameter", "material", "noise",
    "noise-range", "noise-medium", "histograms", "predictions", "hyperparameters", "statistics",
}  # fmt: skip
TABLE = tomllib.loads((PROJECT / "tests" / "catalog" / "datasets.toml").read_text())["dataset"]


def published() -> dict[frozenset[str], str]:
    """The images of each dataset of the paper, with its name."""
    catalog = Catalog.open(PROJECT / "data_catalog.parquet")
    found = {}
    for dataset in TABLE:
        wanted = dataset["filter"]
        found[
            frozenset(
                row.image_id
                for row in catalog.rows_of("sytwu-2023")
                if row.support == "ultrathin carbon"
                and row.material == wanted["material"]
                and row.diameter_nm == wanted["size_nm"]
                and row.pixel_scale_nm == wanted["pixel_size_nm"]
                and abs((row.dose_e_per_A2 or 0) - wanted["dose"]) < wanted.get("dose_tol", 20)
                and wanted.get("date") in (None, row.acquired_on)
            )
        ] = dataset["id"]
    return found


def settings(study: api.CheckedStudy) -> Any:
    return study.loaded.study


def test_every_experiment_of_the_paper_has_a_study() -> None:
    assert {path.stem for path in STUDIES} >= OF_THE_PAPER


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_a_study_is_named_as_its_file_and_asks_something(path: Path) -> None:
    study = settings(api.check(path))
    assert study.study.name == path.stem
    assert study.study.question.endswith(("?", "."))
    assert study.catalog.collection == "twin"
    assert not study.evaluation.dihedral or study.measure.only


@pytest.mark.parametrize(("name", "reason"), TWIN_ALONE.items())
def test_what_the_twin_alone_has_is_not_asked_of_real_images(name: str, reason: str) -> None:
    with pytest.raises(StudySpecError, match=reason):
        api.check(PROJECT / "studies" / f"{name}.toml", "paper")


@pytest.mark.parametrize(
    "path", [path for path in STUDIES if path.stem not in TWIN_ALONE], ids=lambda path: path.stem
)
def test_under_the_profile_paper_datasets_are_those_of_the_paper(path: Path) -> None:
    known, checked = published(), api.check(path, "paper")
    for name, dataset in checked.datasets.items():
        images = frozenset(image.row.image_id for image in dataset.images)
        if dataset.filter.collection != "twin":
            assert images in known, name
    study = settings(checked)
    assert (study.preprocess.patch.size, study.preprocess.patch.min_particle_px) == (512, 400)
    if not study.measure.only:
        assert study.augment.dihedral == "all"
        assert study.model.first_filters == 4
        training = study.training
        assert (training.batch_size, training.learning_rate) == (32, 1e-4)
        assert training.epochs == 250
        assert study.evaluation.dihedral


def test_studies_share_their_networks() -> None:
    plans = [api.plan(path) for path in STUDIES]
    trainings = [{p.job.key for p in one.jobs if p.job.stage == "train"} for one in plans]
    asked, needed = sum(map(len, trainings)), len(set().union(*trainings))
    assert needed <= asked - 100


def test_all_claims_of_the_paper_are_made() -> None:
    said = " ".join(path.read_text() for path in STUDIES)
    assert all(f"C{number}:" in said for number in range(1, 13))
