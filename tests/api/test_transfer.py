"""A study of transfer over defocus, dose and structure, on a catalog made for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from studyspec import api
from studyspec.api.catalog import Imaging

PROJECT = Path(__file__).parents[2]
STUDY = PROJECT / "studies" / "transfer-defocus.toml"
DEFOCI = range(-25, 26, 5)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """The study beside a catalog of every condition that it asks for."""
    catalog = tmp_path / "data_catalog.parquet"
    series = Imaging(dose_e_per_A2=(30, 75, 150, 300, 600), defocus_nm=DEFOCI)
    api.catalog.simulate("CdSe", 5, series, 64, catalog)
    for material in ("CdSe", "Au", "Ag", "Pt", "Pd"):
        sizes = (2.5,) if material == "CdSe" else (2.5, 5)
        api.catalog.simulate(material, sizes, Imaging(150, defocus_nm=0), 12, catalog)
    for path in (STUDY, STUDY.with_name("common.toml")):
        shutil.copy(path, tmp_path)
    return tmp_path / STUDY.name


def test_the_small_form_tunes_from_two_defoci_and_a_dose() -> None:
    planned = api.plan(STUDY)
    titles = [one.job.title for one in planned.jobs if one.job.stage == "train"]
    for start in ("-25 nm", "0 nm"):
        name = f"25 nm:4 (tuned[training.start_from.train={start}])"
        assert [f"train {name}, fold {fold}" in titles for fold in range(5)] == [True] * 5
    assert planned.count("train", "new") == 75


def test_the_whole_form_has_eleven_defoci_and_plans(study: Path) -> None:
    checked = api.check(study, "whole")
    columns = [
        {image.row.defocus_nm for image in dataset.images} for dataset in checked.datasets.values()
    ]
    assert set().union(*columns) == set(DEFOCI)
    sources = [one for one in checked.variants if one.name.startswith("tuned[")]
    assert len(sources) == 10
    assert {len(one.pairs) for one in sources} == {44}
