"""Readers: image and label files as arrays, by the plug-in that reads their suffix."""

from __future__ import annotations

import gzip
import tempfile
import warnings
import zlib
from math import isfinite
from pathlib import Path

import numpy as np

from studyspec.errors import FileError
from studyspec.files import whole
from studyspec.plugins.contracts import Reader
from studyspec.plugins.guard import broken_promise
from studyspec.plugins.owners import owner
from studyspec.plugins.registry import OURS, READERS, Found
from studyspec.plugins.values import FileArray, Mask, RawImage

EXACT = 2**24
"""Smaller whole numbers are exact as 32-bit numbers."""
LOST = 1e-3
PACKED = ".gz"
PART = 2**20
MOST_UNPACKED = 2**33
"""What a packed file may hold [bytes]."""
LARGE = 2**28
"""A smaller file that fills the memory has a damaged header [bytes]."""


def read_image(path: Path) -> RawImage:
    """Read an image of any format that a plug-in reads, or one packed by gzip (NAME.tif.gz).

    Raises
    ------
    FileError
        If the file is missing, truncated, of another format or not one two-dimensional image.
    PluginError
        If two plug-ins read its suffix, or one gives no array.
    """
    array, scale = _read(path)
    if array.ndim == 3 and array.shape[-1] in (3, 4):
        array = _grey(array[..., :3], path)
    if array.ndim != 2 or array.size == 0:
        shape = " x ".join(map(str, array.shape))
        raise FileError(f"not one image: its shape is {shape}", where=str(path))
    if not (np.issubdtype(array.dtype, np.number) or array.dtype == bool) or np.iscomplexobj(array):
        raise FileError(f"pixels of type {array.dtype}", where=str(path), hint="expected counts")
    with np.errstate(over="ignore"):
        pixels = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(pixels).all():
        raise FileError("pixels that are no numbers (NaN or infinite)", where=str(path))
    if array.dtype.itemsize > 2 and _collapsed(array, pixels):
        raise FileError(
            "counts too large for how little they differ: 32-bit numbers cannot tell them apart",
            where=str(path),
            hint="subtract an offset from all of them",
        )
    return RawImage(pixels, scale)


def read_label(path: Path) -> Mask:
    """Read a label (H, W) by the readers of images: non-zero is particle.

    Raises
    ------
    FileError, PluginError
        As `read_image`.
    """
    array, _ = _read(path)
    if array.dtype.kind not in "biuf":
        raise FileError(f"a label of type {array.dtype}", where=str(path), hint="expected numbers")
    if not np.isfinite(array).all():
        raise FileError("a label with values that are no numbers", where=str(path))
    if array.ndim == 3 and array.shape[-1] in (2, 3, 4):
        channels = array[..., : 1 if array.shape[-1] == 2 else 3]  # without transparency
        array = np.asarray(channels.any(axis=-1))
    if array.ndim != 2 or array.size == 0:
        raise FileError(f"a label of shape {array.shape}", where=str(path), hint="expected (H, W)")
    return np.asarray(array != 0)


def check_readable(path: Path) -> None:
    """Refuse a file that is neither image nor label: no reader opens it.

    Raises
    ------
    FileError, PluginError
        As `read_image`.
    """
    array, _ = _read(path)
    if array.ndim < 2 or array.size == 0 or array.dtype.kind not in "biuf":
        shape = " x ".join(map(str, array.shape))
        raise FileError(f"no image: {array.dtype} of shape {shape}", where=str(path))


def read_scale(path: Path) -> float | None:
    """The pixel scale that the header of an image or label tells [nm]; raises as `read_image`."""
    return _read(path)[1]


def _collapsed(array: FileArray, pixels: FileArray) -> bool:
    """Whether 32-bit numbers lose more than a thousandth of the spread of large ones."""
    if float(np.abs(pixels).max()) < EXACT:
        return False
    lost = np.abs(pixels.astype(np.float64) - array)
    spread = float(array.std(dtype=np.float64))
    return 0 < LOST * spread < float(lost.max())


def suffixes() -> tuple[str, ...]:
    """The suffixes that are read, in lower case."""
    return tuple(suffix for reader in READERS for suffix in reader.suffixes)


def write_mask(mask: Mask, path: Path) -> None:
    """Write a mask (H, W) as an 8-bit PNG: 255 is particle."""
    from PIL import Image

    with whole(path, durable=False) as half:
        Image.fromarray(mask.astype(np.uint8) * np.uint8(255)).save(half, format="png")


def _grey(colours: FileArray, path: Path) -> FileArray:
    """The one channel of a grey image that was saved in colour."""
    grey = colours[..., 0]
    if not (colours == grey[..., None]).all():
        raise FileError("a colour image", where=str(path), hint="save it as one grey channel")
    return np.asarray(grey)


def _read(path: Path) -> tuple[FileArray, float | None]:
    if path.suffix.lower() != PACKED:
        return _read_plain(path)
    _check_there(path)
    with tempfile.TemporaryDirectory(prefix="studyspec-") as folder:
        return _read_plain(_unpacked(path, Path(folder)), named=path)


def _unpacked(path: Path, folder: Path) -> Path:
    """The file that is packed in another."""
    plain = folder / path.stem
    try:
        with gzip.open(path) as packed, plain.open("wb") as file:
            while part := packed.read(PART):
                file.write(part)
                if file.tell() > MOST_UNPACKED:
                    what = f"more than {MOST_UNPACKED >> 30} GiB when unpacked"
                    raise FileError(what, where=str(path), hint="is it an image?")
    except (OSError, EOFError, zlib.error) as error:
        what = f"cannot be unpacked, is it truncated? ({type(error).__name__}: {error})"
        raise FileError(what, where=str(path), hint="copy or fetch it again") from None
    return plain


def _read_plain(path: Path, named: Path | None = None) -> tuple[FileArray, float | None]:
    """Array and scale of a file; messages name the file `named`."""
    named = named or path
    found = owner(READERS, lambda reader: reader.suffixes, path.suffix.lower())
    if found is None:
        raise FileError(f"unknown format '{path.suffix}'", where=str(named), hint=_known())
    _check_there(path, named)
    array, scale = _called(found, path, named)
    return (array[0] if array.ndim == 3 and array.shape[0] == 1 else array), scale


def _check_there(path: Path, named: Path | None = None) -> None:
    if not path.is_file():
        raise FileError("no such file", where=str(named or path), hint="is its folder mounted?")
    if path.stat().st_size == 0:
        raise FileError("an empty file", where=str(named or path), hint="copy or fetch it again")


def _called(found: Found[Reader], path: Path, named: Path) -> tuple[FileArray, float | None]:
    """What a reader gives, once it is what its contract says."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # readers warn of odd headers that decide nothing
            given: object = found.plugin.read(path)
    except MemoryError:
        if path.stat().st_size >= LARGE:
            raise
        raise FileError(
            "it needs more memory than there is: is its header damaged?",
            where=str(path),
            hint="copy or fetch it again",
        ) from None
    except Exception as error:  # the readers raise anything at all on a broken file
        ours = found.provider.distribution == OURS
        by = "" if ours else f" by reader '{found.plugin.name}' of {found.provider}"
        what = f"cannot be read{by}, is it truncated? ({type(error).__name__}: {error})"
        raise FileError(what, where=str(named), hint="copy or fetch it again") from error
    match given:
        case (np.ndarray() as array, None):
            return array, None
        case (np.ndarray() as array, int() | float() | np.floating() as scale) if (
            isfinite(scale) and scale > 0
        ):
            return array, float(scale)
    what = f"of {named} it gave {_worded(given)}, not an array and a pixel scale [nm] or None"
    raise broken_promise("reader", found, what)


def _worded(given: object) -> str:
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], np.ndarray):
        return f"the pixel scale {given[1]!r}"
    return f"a {type(given).__name__}"


def _known() -> str:
    """The suffixes that are read, and readers that are left out."""
    known = ", ".join(suffix for reader in READERS for suffix in reader.suffixes)
    return "; ".join(
        [f"known: {known}, each also with {PACKED}", *(broken.text for broken in READERS.broken)]
    )
