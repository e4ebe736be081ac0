from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studyspec.catalog.row import ImageRow
from studyspec.catalog.table import write_catalog
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
