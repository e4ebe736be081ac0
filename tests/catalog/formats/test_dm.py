from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from studyspec.catalog.readers import read_image
from studyspec.errors import FileError
from tests.camera_files import write_dm

PIXELS = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64)


@pytest.mark.parametrize(("unit", "scale"), [("nm", 0.02), ("µm", 2e-5), ("A", 0.2)])
def test_units_of_the_header_are_converted(tmp_path: Path, unit: str, scale: float) -> None:
    path = write_dm(tmp_path / "image.dm3", PIXELS, scale, unit)
    assert read_image(path).pixel_scale_nm == pytest.approx(0.02)


def test_a_dm_file_cut_anywhere_is_told(tmp_path: Path) -> None:
    whole = write_dm(tmp_path / "whole.dm3", PIXELS, 0.02).read_bytes()
    path = tmp_path / "cut.dm3"
    for size in range(0, len(whole) - 8, 97):  # the last eight bytes only close the tree
        path.write_bytes(whole[:size])
        with pytest.raises(FileError, match="empty file" if size == 0 else "is it truncated"):
            read_image(path)


def test_no_other_part_of_ncempy_is_imported(tmp_path: Path) -> None:
    path = write_dm(tmp_path / "image.dm3", PIXELS, 0.02)
    code = (
        "import sys, pathlib; from studyspec.catalog.readers import read_image;"
        f"read_image(pathlib.Path({str(path)!r}));"
        "print([name for name in sys.modules if name.startswith(('ncempy.', 'matplotlib'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_reciprocal_unit_is_no_pixel_scale(tmp_path: Path) -> None:
    assert read_image(write_dm(tmp_path / "i.dm3", PIXELS, 0.02, "1/nm")).pixel_scale_nm is None
