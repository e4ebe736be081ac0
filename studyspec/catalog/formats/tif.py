"""TIFF, plain, of ImageJ or with OME metadata."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import TYPE_CHECKING

from studyspec.catalog.formats.png import check_size, pillow_array
from studyspec.catalog.lengths import NM_PER_UNIT, in_nm
from studyspec.plugins.contracts import Reader
from studyspec.plugins.values import FileArray

if TYPE_CHECKING:
    from tifffile import TiffFile


class TifReader(Reader):
    """Reads .tif and .tiff files."""

    name = "tif"
    suffixes = (".tif", ".tiff")

    def read(self, path: Path) -> tuple[FileArray, float | None]:
        """The array, and the scale that OME, ImageJ or the resolution tags tell."""
        import tifffile

        with tifffile.TiffFile(path) as file:
            scale = _ome_scale(file.ome_metadata) if file.ome_metadata else _scale(file)
            one_page = len(file.pages) == 1
            check_size(file.series[0].shape if file.series else ())
            try:
                return file.asarray(), scale
            except ValueError as error:
                if "imagecodecs" not in str(error) or not one_page:
                    raise
        return pillow_array(path), scale  # Pillow knows LZW and others by itself


TIF = TifReader()


def _ome_scale(text: str) -> float | None:
    size = re.search(r'PhysicalSizeX="([^"]+)"', text)
    unit = re.search(r'PhysicalSizeXUnit="([^"]+)"', text)
    return in_nm(float(size[1]), html.unescape(unit[1]) if unit else "µm") if size else None


def _scale(file: TiffFile) -> float | None:
    """The scale of an ImageJ or a plain TIFF with a physical resolution unit."""
    tags = file.pages.first.tags
    if "XResolution" not in tags:
        return None
    number, per = tags["XResolution"].value
    if not number:
        return None
    unit = str((file.imagej_metadata or {}).get("unit", "")).replace("\\u00B5", "µ")
    if not unit:
        in_cm = "ResolutionUnit" in tags and int(tags["ResolutionUnit"].value) == 3
        unit = "cm" if in_cm else ""
        if unit and per / number * NM_PER_UNIT[unit] > 1e3:
            return None  # a printer's resolution, not a microscope's
    return in_nm(per / number, unit)
