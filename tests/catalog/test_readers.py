from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import mrcfile
import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image

from studyspec.catalog.readers import read_image, read_label
from studyspec.errors import FileError, PluginError
from studyspec.plugins.registry import READERS
from tests.camera_files import write_dm
from tests.distributions import fresh, install

PIXELS = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64)


def written(path: Path, pixels: npt.NDArray[np.uint16]) -> Path:
    """PIXELS in the format that the name asks for, 0.02 nm per pixel where it can say so."""
    if path.suffix in (".dm3", ".dm4"):
        return write_dm(path, pixels, 0.02, version=int(path.suffix[-1]))
    if path.suffix == ".tif":
        tifffile.imwrite(
            path, pixels, imagej=True, resolution=(50.0, 50.0), metadata={"unit": "nm"}
        )
    elif path.suffix == ".mrc":
        with mrcfile.new(path) as file:
            file.set_data(pixels)
            file.voxel_size = 0.2
    elif path.suffix == ".png":
        Image.fromarray(pixels).save(path)
    else:
        np.save(path, pixels)
    return path


@pytest.mark.parametrize("suffix", ["dm3", "dm4", "tif", "mrc", "png", "npy"])
def test_every_format_is_read_bit_for_bit(tmp_path: Path, suffix: str) -> None:
    image = read_image(written(tmp_path / f"image.{suffix}", PIXELS))
    assert image.pixels.dtype == np.float32
    assert np.array_equal(image.pixels, PIXELS)


@pytest.mark.parametrize("suffix", ["dm3", "dm4", "tif", "mrc"])
def test_pixel_scale_comes_from_the_header(tmp_path: Path, suffix: str) -> None:
    image = read_image(written(tmp_path / f"image.{suffix}", PIXELS))
    assert image.pixel_scale_nm == pytest.approx(0.02)


@pytest.mark.parametrize("suffix", ["dm3", "tif", "mrc", "png", "npy"])
def test_a_truncated_file_is_told(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path / f"image.{suffix}", PIXELS)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(FileError, match=rf"image\.{suffix}: cannot be read, is it truncated"):
        read_image(path)


def test_an_unknown_format_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"unknown format '.ser'; known: .dm3, .dm4, .mrc"):
        read_image(tmp_path / "image.ser")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file"):
        read_image(tmp_path / "image.tif")


def test_a_stack_is_no_image(tmp_path: Path) -> None:
    np.save(tmp_path / "stack.npy", np.zeros((3, 8, 8)))
    with pytest.raises(FileError, match="not one image: its shape is 3 x 8 x 8"):
        read_image(tmp_path / "stack.npy")


def test_pixels_that_are_no_numbers_are_told(tmp_path: Path) -> None:
    np.save(tmp_path / "image.npy", np.full((8, 8), np.nan))
    with pytest.raises(FileError, match="no numbers"):
        read_image(tmp_path / "image.npy")


@pytest.mark.parametrize("value", [1, 255])
def test_any_value_but_zero_is_particle(tmp_path: Path, value: int) -> None:
    label = np.zeros((8, 8), np.uint8)
    label[2:4] = value
    Image.fromarray(label).save(tmp_path / "label.png")
    assert read_label(tmp_path / "label.png").sum() == 16


def test_transparency_is_no_label(tmp_path: Path) -> None:
    label = np.zeros((8, 8, 4), np.uint8)
    label[..., 3], label[0, 0, 1] = 255, 9
    Image.fromarray(label).save(tmp_path / "label.png")
    assert read_label(tmp_path / "label.png").sum() == 1


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_a_grey_image_saved_in_colour_is_read(tmp_path: Path, suffix: str) -> None:
    grey = PIXELS.astype(np.uint8)
    path = tmp_path / f"image.{suffix}"
    Image.fromarray(np.stack([grey] * 3, axis=-1)).save(path)
    assert np.array_equal(read_image(path).pixels, grey)


def test_a_coloured_image_is_told(tmp_path: Path) -> None:
    colours = np.zeros((8, 8, 3), np.uint8)
    colours[0, 0, 1] = 9
    Image.fromarray(colours).save(tmp_path / "image.png")
    with pytest.raises(FileError, match="a colour image; save it as one grey channel"):
        read_image(tmp_path / "image.png")


READER = """
import numpy as np
from studyspec.plugins.contracts import Reader

class Ser(Reader):
    name, suffixes = "ser", (".ser",)

    def read(self, path):
        return {
            "whole": (np.eye(8), 0.02),
            "list": ([[1, 2], [3, 4]], None),
            "array": np.eye(8),
            "scale": (np.eye(8), 0),
        }[path.read_text()]

SER = Ser()
"""


def ser(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, module: str = READER) -> Path:
    """A file of a format that a package of others reads."""
    monkeypatch.syspath_prepend(install(folder, "tia", "0.7", {"reader": "tia_reader"}))
    (folder / "tia_reader.py").write_text(module)
    monkeypatch.delitem(sys.modules, "tia_reader", raising=False)
    fresh(monkeypatch, READERS)
    (folder / "a.ser").write_text(text)
    return folder / "a.ser"


def test_a_format_of_others_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ser(tmp_path, monkeypatch, "whole")
    assert read_image(path).pixel_scale_nm == 0.02
    assert read_label(path).sum() == 8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("list", r"of .*a\.ser it gave a tuple, not an array and a pixel scale"),
        ("array", r"of .*a\.ser it gave a ndarray, not an array and a pixel scale"),
        ("scale", r"of .*a\.ser it gave the pixel scale 0, not"),
    ],
)
def test_a_reader_that_gives_no_array_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    path = ser(tmp_path, monkeypatch, text)
    with pytest.raises(PluginError, match=f"reader 'ser' of tia 0.7 failed: {message}"):
        read_image(path)


def test_a_reader_of_others_that_raises_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ser(tmp_path, monkeypatch, "rubbish")
    with pytest.raises(FileError, match=r"a\.ser: cannot be read by reader 'ser' of tia 0\.7, is"):
        read_image(path)


def test_a_suffix_of_two_readers_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ser(tmp_path, monkeypatch, "whole", READER.replace(".ser", ".tif"))
    path = written(tmp_path / "image.tif", PIXELS)
    with pytest.raises(PluginError, match=r"'\.tif' belongs to two .*'tif' of studyspec .*tia 0.7"):
        read_image(path)
    assert read_image(written(tmp_path / "image.png", PIXELS)).pixels.shape == (48, 64)


def test_a_reader_that_is_left_out_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ser(tmp_path, monkeypatch, "whole", "import nowhere")
    with pytest.raises(
        FileError, match=r"unknown format '\.ser'; known: .*tia 0.7 .* left out: Mod"
    ):
        read_image(path)


def test_suffixes_that_are_no_tuple_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ser(tmp_path, monkeypatch, "whole", READER.replace('(".ser",)', '".ser"'))
    assert "its suffixes are '.ser': expected a tuple of text" in READERS.broken[0].text


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        (np.full((4, 4), np.nan), "no numbers"),
        (np.ones((4, 4), np.complex64), "complex64"),
        (np.full((4, 4), "0"), "<U1"),
        (np.zeros((4, 4), "datetime64[s]"), "datetime64"),
    ],
)
def test_a_label_that_holds_no_real_numbers_is_refused(
    tmp_path: Path, label: npt.NDArray[np.generic], reason: str
) -> None:
    np.save(tmp_path / "label.npy", label)
    with pytest.raises(FileError, match=reason):
        read_label(tmp_path / "label.npy")


def test_large_counts_that_would_collapse_are_refused(tmp_path: Path) -> None:
    counts = np.arange(256, dtype=np.uint32).reshape(16, 16)
    np.save(tmp_path / "small.npy", counts)
    np.save(tmp_path / "large.npy", counts + np.uint32(4_000_000_000))
    assert len(np.unique(read_image(tmp_path / "small.npy").pixels)) == 256
    with pytest.raises(FileError, match="cannot tell them apart; subtract an offset"):
        read_image(tmp_path / "large.npy")


def huge_npy(path: Path) -> None:
    text = "{'descr': '<u2', 'fortran_order': False, 'shape': (1000000, 1000000), }".ljust(117)
    path.write_bytes(b"\x93NUMPY\x01\x00\x76\x00" + text.encode() + b"\n" + bytes(99))


def huge_png(path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    size = struct.pack(">IIBBBBB", 2_000_000, 2_000_000, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)


@pytest.mark.parametrize(("suffix", "write"), [(".npy", huge_npy), (".png", huge_png)])
def test_a_header_that_asks_for_terabytes_is_told(
    tmp_path: Path, suffix: str, write: Callable[[Path], None]
) -> None:
    write(tmp_path / f"huge{suffix}")
    for read in (read_image, read_label):
        with pytest.raises(FileError, match=r"more memory than there is|,000,000,000 pixels"):
            read(tmp_path / f"huge{suffix}")
