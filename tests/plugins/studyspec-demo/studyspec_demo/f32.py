"""A format: a line with height, width and pixel scale [nm], then float32 numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from studyspec.plugins.contracts import Reader


class F32(Reader):
    """Files that end on .f32."""

    name = "f32"
    suffixes = (".f32",)

    def read(self, path: Path) -> tuple[npt.NDArray[Any], float | None]:
        """The array and its scale."""
        head, _, data = path.read_bytes().partition(b"\n")
        height, width, scale = head.split()
        pixels = np.frombuffer(data, np.float32).reshape(int(height), int(width))
        return pixels.copy(), float(scale)


READER = F32()
