"""PNG."""

from __future__ import annotations

import math
from collections.abc import Iterable
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
MOST_PX = 1 << 30
"""The largest micrographs have a tenth of it [px]; a packed file may claim any number."""


def pillow_array(path: Path) -> FileArray:
    """What Pillow reads of an image file."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # the limit is ours: a micrograph is no decompression bomb
    with Image.open(path) as image:
        check_size(image.size)
        return np.asarray(image.convert("RGB") if image.mode == "P" else image)


def check_size(shape: Iterable[int]) -> None:
    """Refuse what a damaged or hostile header asks for before memory is taken for it."""
    pixels = math.prod(int(edge) for edge in shape)
    if pixels > MOST_PX:
        raise ValueError(f"its header tells of {pixels:,} pixels")
