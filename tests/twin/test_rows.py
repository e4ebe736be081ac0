from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from studyspec.catalog.row import ImageRow
from studyspec.catalog.table import Catalog
from studyspec.errors import TwinError
from studyspec.twin.conditions import Conditions
from studyspec.twin.rows import add_rows

PLATINUM = ImageRow(
    "",
    "",
    "",
    material="Pt",
    diameter_nm=3.0,
    support="ultrathin carbon",
    voltage_kv=300.0,
    pixel_scale_nm=0.02,
    dose_e_per_A2=200.0,
    session="simulated",
)


def test_new_conditions_become_rows_that_can_be_simulated(tmp_path: Path) -> None:
    new = add_rows([PLATINUM], 20, tmp_path / "catalog.parquet")
    assert len({Conditions.from_row(row).image_hash() for row in new}) == 20
    rows = Catalog.open(tmp_path / "catalog.parquet").rows
    assert [row.image_id for row in rows] == [row.image_id for row in new]
    assert (rows[0].material, rows[0].width_px, rows[0].collection) == ("Pt", 512, "twin")


def test_more_of_the_same_conditions_are_other_images(tmp_path: Path) -> None:
    first = add_rows([PLATINUM], 2, tmp_path / "catalog.parquet")
    second = add_rows([PLATINUM], 3, tmp_path / "catalog.parquet")
    assert len({row.image_id for row in [*first, *second]}) == 5
    assert len(Catalog.open(tmp_path / "catalog.parquet").rows) == 5


def test_what_cannot_be_simulated_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(TwinError, match="knows no material 'Fe'; known: Au"):
        add_rows([replace(PLATINUM, material="Fe")], 2, tmp_path / "catalog.parquet")
    assert not (tmp_path / "catalog.parquet").exists()


def test_a_focus_series_has_as_many_images_of_each_focus_and_other_seeds(tmp_path: Path) -> None:
    series = [replace(PLATINUM, defocus_nm=nm) for nm in (-5.0, 0.0, 5.0)]
    new = add_rows(series, 2, tmp_path / "catalog.parquet")
    assert [row.defocus_nm for row in new] == [-5, -5, 0, 0, 5, 5]
    assert len({row.image_uri for row in new}) == 6
    assert Catalog.open(tmp_path / "catalog.parquet").rows == tuple(new)


def test_conditions_that_a_name_does_not_tell_have_names_of_their_own(tmp_path: Path) -> None:
    two = [replace(PLATINUM, voltage_kv=kv) for kv in (80.0, 300.0)]
    new = add_rows(two, 2, tmp_path / "catalog.parquet")
    assert len({row.image_id for row in new}) == 4


def test_one_wrong_condition_of_a_series_leaves_the_catalog_as_it_was(tmp_path: Path) -> None:
    with pytest.raises(TwinError, match=r"'aperture_mrad' is -1\.0; use > 0"):
        add_rows([PLATINUM, replace(PLATINUM, aperture_mrad=-1.0)], 2, tmp_path / "c.parquet")
    assert not (tmp_path / "c.parquet").exists()
