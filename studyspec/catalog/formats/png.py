"""PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from studyspec.plugins.contracts import Reader
from studyspec.plugins.values import FileArray


class PngReader(Reader):
    """Reads .png files, which do not say how large a pixel is."""

    name = "png"
    suffixes = (".png",)

    def read(self, path: Path) -> tuple[FileArray, float | None]:
        """The array; a palette becomes colours."""
        return pillow_array(path), None


PNG = PngReader()


def pillow_array(path: Path) -> FileArray:
    """What Pillow reads of an image file."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # a micrograph is no decompression bomb
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB") if image.mode == "P" else image)
