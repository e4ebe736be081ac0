"""Files of masks and of pictures: OME-TIFF with the pixel size, and PNG."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from studyspec.catalog.readers import write_mask
from studyspec.files import whole
from studyspec.plugins.values import Mask

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["OME", "write_mask", "write_ome_mask", "write_picture"]

OME = ".ome.tif"


def write_ome_mask(mask: Mask, path: Path, pixel_scale_nm: float | None = None) -> None:
    """Write a mask (H, W) as an OME-TIFF of 8 bits: 255 is particle; with the pixel size [nm]."""
    import tifffile

    told: dict[str, object] = {"axes": "YX"}
    if pixel_scale_nm is not None:
        for axis in "XY":
            told[f"PhysicalSize{axis}"] = pixel_scale_nm
            told[f"PhysicalSize{axis}Unit"] = "nm"
    pixels = mask.astype(np.uint8) * np.uint8(255)
    with whole(path, durable=False) as half:
        tifffile.imwrite(
            half, pixels, ome=True, metadata=told, compression="zlib", photometric="minisblack"
        )


def write_picture(picture: Image, path: Path) -> None:
    """Write a picture as a PNG."""
    with whole(path, durable=False) as half:
        picture.save(half, format="png")
