"""NumPy's own format."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from studyspec.plugins.contracts import Reader
from studyspec.plugins.values import FileArray


class NpyReader(Reader):
    """Reads .npy files."""

    name = "npy"
    suffixes = (".npy",)

    def read(self, path: Path) -> tuple[FileArray, float | None]:
        """The array; pickled objects are refused."""
        return np.load(path, allow_pickle=False), None


NPY = NpyReader()
