from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from studyspec.catalog.readers import read_image

PIXELS = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64)


def test_a_compressed_tif_is_read(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "image.tif", compression="tiff_lzw")
    assert np.array_equal(read_image(tmp_path / "image.tif").pixels, PIXELS)


def test_an_ome_tif_says_its_pixel_scale(tmp_path: Path) -> None:
    sizes = {"axes": "YX", "PhysicalSizeX": 0.02, "PhysicalSizeXUnit": "nm"}
    tifffile.imwrite(tmp_path / "image.ome.tif", PIXELS, metadata=sizes)
    assert read_image(tmp_path / "image.ome.tif").pixel_scale_nm == pytest.approx(0.02)


def test_a_printers_resolution_is_no_pixel_scale(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "image.tif", PIXELS, resolution=(300, 300), resolutionunit="INCH")
    assert read_image(tmp_path / "image.tif").pixel_scale_nm is None
