from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studyspec import api
from studyspec.catalog.row import ImageRow
from studyspec.catalog.table import Catalog, write_catalog
from studyspec.errors import CatalogError
from studyspec.images.comparison import STATISTICS, Extent, compare
from studyspec.images.door import Door
from studyspec.plugins.contracts import Whereabouts


def two_collections(folder: Path, material: str) -> Door:
    """An image of each of two collections; that of the second is twice as bright, unlabelled."""
    counts = np.random.default_rng(0).poisson(900, (64, 64)).astype(np.float32)
    np.save(folder / "a.npy", counts)
    np.save(folder / "b.npy", 2 * counts)
    np.save(folder / "label.npy", np.arange(64 * 64).reshape(64, 64) % 2)
    write_catalog(
        [
            ImageRow("a", "first", "a.npy", "label.npy", material="Au", dose_e_per_A2=421.0),
            ImageRow("b", "second", "b.npy", material=material, dose_e_per_A2=425.0, session="x"),
        ],
        folder / "catalog.parquet",
    )
    return Door(Whereabouts(folder / "catalog.parquet", folder / "cache"))


def test_images_of_alike_conditions_are_compared(tmp_path: Path) -> None:
    door = two_collections(tmp_path, "Au")
    (found,) = compare(door.at.catalog, ("first", "second"), Extent(patch_px=32), door)
    assert found.images == (1, 1)
    ratios = dict(zip(STATISTICS, found.ratios, strict=True))
    assert ratios["roughness"] == pytest.approx(1, rel=1e-3)
    assert ratios["contrast"] is None  # there is no label


def test_collections_without_a_condition_in_common_are_told(tmp_path: Path) -> None:
    door = two_collections(tmp_path, "Ag")
    with pytest.raises(CatalogError, match="no condition in common; material, diameter_nm"):
        compare(door.at.catalog, ("first", "second"), Extent(patch_px=32), door)


def test_a_focus_series_is_as_many_conditions(tmp_path: Path) -> None:
    """Rows that differ in what was set are not pooled; the usual camera, named or not, is one."""
    door = two_collections(tmp_path, "Au")
    first, second = Catalog.open(door.at.catalog).rows
    rows = [
        replace(row, image_id=f"{row.image_id}{nm}", defocus_nm=nm)
        for row in (first, replace(second, camera="Gatan OneView", shape="sphere"))
        for nm in (None, -5.0, 5.0)
    ]
    rows += [replace(second, image_id="rod", shape="rod")]
    write_catalog(rows, door.at.catalog)
    found = compare(door.at.catalog, ("first", "second"), Extent(patch_px=32), door)
    assert [one.images for one in found] == [(1, 1)] * 3
    told = api.catalog.compare("first", "second", door.at.catalog, Extent(patch_px=32))
    assert told.condition[-2:] == ("dose_e_per_A2", "defocus_nm")
    assert [one.condition[-1] for one in told.compared] == [None, -5.0, 5.0]
