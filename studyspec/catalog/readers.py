"""Readers: image and label files of cameras as arrays. Knows formats, no catalog."""

from __future__ import annotations

import html
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from studyspec.errors import FileError

NM_PER_UNIT = {
    "m": 1e9, "cm": 1e7, "mm": 1e6, "um": 1e3, "µm": 1e3, "μm": 1e3, "micron": 1e3, "nm": 1.0,
    "a": 0.1, "å": 0.1, "ang": 0.1, "angstrom": 0.1, "pm": 1e-3,
}  # fmt: skip


@dataclass(frozen=True)
class RawImage:
    """An image as the camera wrote it.

    Attributes
    ----------
    pixels
        Counts, shape (H, W), float32.
    pixel_scale_nm
        Edge of a pixel as the header says [nm]; None if it does not say.
    """

    pixels: npt.NDArray[np.float32]
    pixel_scale_nm: float | None = None


def read_image(path: Path) -> RawImage:
    """Read a .dm3, .dm4, .tif, .mrc, .png or .npy image.

    Raises
    ------
    FileError
        If the file is missing, truncated, of another format or not one two-dimensional image.
    """
    array, scale = _read(path)
    if array.ndim == 3 and array.shape[-1] in (3, 4) and path.suffix.lower() in COLOURED:
        array = _grey(array[..., :3], path)
    if array.ndim != 2 or array.size == 0:
        shape = " x ".join(map(str, array.shape))
        raise FileError(f"not one image: its shape is {shape}", where=str(path))
    if not (np.issubdtype(array.dtype, np.number) or array.dtype == bool) or np.iscomplexobj(array):
        raise FileError(f"pixels of type {array.dtype}", where=str(path), hint="expected counts")
    pixels = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(pixels).all():
        raise FileError("pixels that are no numbers (NaN or infinite)", where=str(path))
    return RawImage(pixels, scale)


def read_label(path: Path) -> npt.NDArray[np.bool_]:
    """Read a label (.png, .tif or .npy): non-zero is particle; shape (H, W).

    Raises
    ------
    FileError
        As `read_image`.
    """
    array, _ = _read(path)
    if array.ndim == 3 and array.shape[-1] in (2, 3, 4):
        channels = array[..., : 1 if array.shape[-1] == 2 else 3]  # without transparency
        array = np.asarray(channels.any(axis=-1))
    if array.ndim != 2 or array.size == 0:
        raise FileError(f"a label of shape {array.shape}", where=str(path), hint="expected (H, W)")
    return np.asarray(array != 0)


def _grey(colours: npt.NDArray[Any], path: Path) -> npt.NDArray[Any]:
    """The one channel of a grey image that was saved in colour."""
    grey = colours[..., 0]
    if not (colours == grey[..., None]).all():
        raise FileError("a colour image", where=str(path), hint="save it as one grey channel")
    return np.asarray(grey)


def _read(path: Path) -> tuple[npt.NDArray[Any], float | None]:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(READERS)
        raise FileError(f"unknown format '{path.suffix}'", where=str(path), hint=f"known: {known}")
    if not path.is_file():
        raise FileError("no such file", where=str(path), hint="is its folder mounted?")
    if path.stat().st_size == 0:
        raise FileError("an empty file", where=str(path), hint="copy or fetch it again")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # readers warn of odd headers that decide nothing
            array, scale = reader(path)
    except MemoryError:
        raise
    except Exception as error:  # the readers raise anything at all on a broken file
        what = f"cannot be read, is it truncated? ({type(error).__name__}: {error})"
        raise FileError(what, where=str(path), hint="copy or fetch it again") from error
    return (array[0] if array.ndim == 3 and array.shape[0] == 1 else array), scale


def _dm(path: Path) -> tuple[npt.NDArray[Any], float | None]:
    with _ncempy_dm().fileDM(path) as file:
        found = file.getDataset(0)
    scale, unit = found["pixelSize"][-1], found["pixelUnit"][-1]
    return found["data"], _in_nm(float(scale), str(unit))


@cache
def _ncempy_dm() -> ModuleType:
    """The DM reader of ncempy (MIT) by itself: importing the package runs its GPL part too."""
    package = find_spec("ncempy")
    assert package is not None
    assert package.origin is not None
    source = Path(package.origin).parent / "io" / "dm.py"
    spec = spec_from_file_location("ncempy_io_dm", source)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _tif(path: Path) -> tuple[npt.NDArray[Any], float | None]:
    import tifffile

    with tifffile.TiffFile(path) as file:
        scale = _ome_scale(file.ome_metadata) if file.ome_metadata else _tif_scale(file)
        one_page = len(file.pages) == 1
        try:
            return file.asarray(), scale
        except ValueError as error:
            if "imagecodecs" not in str(error) or not one_page:
                raise
    return _png(path)[0], scale  # Pillow knows LZW and others by itself


def _ome_scale(text: str) -> float | None:
    size = re.search(r'PhysicalSizeX="([^"]+)"', text)
    unit = re.search(r'PhysicalSizeXUnit="([^"]+)"', text)
    return _in_nm(float(size[1]), html.unescape(unit[1]) if unit else "µm") if size else None


def _tif_scale(file: Any) -> float | None:
    """The scale of an ImageJ or a plain TIFF with a physical resolution unit."""
    tags = file.pages[0].tags
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
    return _in_nm(per / number, unit)


def _mrc(path: Path) -> tuple[npt.NDArray[Any], float | None]:
    import mrcfile

    with mrcfile.open(path, permissive=False) as file:
        scale = float(file.voxel_size.x)
        return np.array(file.data), _in_nm(scale, "angstrom")


def _png(path: Path) -> tuple[npt.NDArray[Any], float | None]:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # a micrograph is no decompression bomb
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB") if image.mode == "P" else image), None


def _npy(path: Path) -> tuple[npt.NDArray[Any], float | None]:
    return np.load(path, allow_pickle=False), None


def _in_nm(scale: float, unit: str) -> float | None:
    factor = NM_PER_UNIT.get(unit.strip().lower())
    return scale * factor if factor is not None and scale > 0 else None


COLOURED = (".png", ".tif", ".tiff")
Reader = Callable[[Path], tuple[npt.NDArray[Any], float | None]]
READERS: Mapping[str, Reader] = {
    ".dm3": _dm, ".dm4": _dm, ".tif": _tif, ".tiff": _tif, ".mrc": _mrc, ".png": _png, ".npy": _npy,
}  # fmt: skip


def write_mask(mask: npt.NDArray[np.bool_], path: Path) -> None:
    """Write a mask (H, W) as an 8-bit PNG: 255 is particle."""
    from PIL import Image

    Image.fromarray(mask.astype(np.uint8) * np.uint8(255)).save(path)
