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
    new = add_rows(PLATINUM, 20, tmp_path / "catalog.parquet")
    assert len({Conditions.from_row(row).image_hash() for row in new}) == 20
    rows = Catalog.open(tmp_path / "catalog.parquet").rows
    assert [row.image_id for row in rows] == [row.image_id for row in new]
    assert (rows[0].material, rows[0].width_px, rows[0].collection) == ("Pt", 512, "twin")


def test_more_of_the_same_conditions_are_other_images(tmp_path: Path) -> None:
    first = add_rows(PLATINUM, 2, tmp_path / "catalog.parquet")
    second = add_rows(PLATINUM, 3, tmp_path / "catalog.parquet")
    assert len({row.image_id for row in [*first, *second]}) == 5
    assert len(Catalog.open(tmp_path / "catalog.parquet").rows) == 5


def test_what_cannot_be_simulated_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(TwinError, match="knows no material 'Fe'; known: Au"):
        add_rows(replace(PLATINUM, material="Fe"), 2, tmp_path / "catalog.parquet")
    assert not (tmp_path / "catalog.parquet").exists()
