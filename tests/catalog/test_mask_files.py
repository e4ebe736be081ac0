from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from studyspec.catalog.mask_files import write_ome_mask
from studyspec.catalog.readers import read_label, read_scale

MASK = np.random.default_rng(0).random((30, 50)) < 0.3


def test_a_mask_comes_back_with_its_pixel_size(tmp_path: Path) -> None:
    path = tmp_path / "a_mask.ome.tif"
    write_ome_mask(MASK, path, 0.0251)
    assert np.array_equal(read_label(path), MASK)
    assert read_scale(path) == pytest.approx(0.0251)
    with tifffile.TiffFile(path) as file:
        assert file.is_ome
        assert 'PhysicalSizeYUnit="nm"' in (file.ome_metadata or "")
        assert file.pages.first.dtype == np.uint8


def test_a_mask_of_unknown_scale_says_none(tmp_path: Path) -> None:
    write_ome_mask(MASK, tmp_path / "a.ome.tif")
    assert np.array_equal(read_label(tmp_path / "a.ome.tif"), MASK)
    assert read_scale(tmp_path / "a.ome.tif") is None
