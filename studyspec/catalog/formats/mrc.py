"""MRC, the format of electron cryomicroscopy."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from studyspec.catalog.lengths import in_nm
from studyspec.plugins.contracts import Reader
from studyspec.plugins.values import FileArray


class MrcReader(Reader):
    """Reads .mrc files."""

    name = "mrc"
    suffixes = (".mrc",)

    def read(self, path: Path) -> tuple[FileArray, float | None]:
        """The array, and the voxel's edge along x."""
        import mrcfile

        with mrcfile.open(path, permissive=False) as file:
            return np.array(file.data), in_nm(float(file.voxel_size.x), "angstrom")


MRC = MrcReader()
