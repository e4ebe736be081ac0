from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import mrcfile
import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image

from studyspec.catalog.readers import read_image, read_label
from studyspec.errors import FileError
from tests.camera_files import write_dm

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


@pytest.mark.parametrize(("unit", "scale"), [("nm", 0.02), ("µm", 2e-5), ("A", 0.2)])
def test_units_of_the_header_are_converted(tmp_path: Path, unit: str, scale: float) -> None:
    path = write_dm(tmp_path / "image.dm3", PIXELS, scale, unit)
    assert read_image(path).pixel_scale_nm == pytest.approx(0.02)


@pytest.mark.parametrize("suffix", ["dm3", "tif", "mrc", "png", "npy"])
def test_a_truncated_file_is_told(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path / f"image.{suffix}", PIXELS)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(FileError, match=rf"image\.{suffix}: cannot be read, is it truncated"):
        read_image(path)


def test_an_unknown_format_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"unknown format '.ser'; known: .dm3, .dm4, .tif"):
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


def test_a_dm_file_cut_anywhere_is_told(tmp_path: Path) -> None:
    whole = write_dm(tmp_path / "whole.dm3", PIXELS, 0.02).read_bytes()
    path = tmp_path / "cut.dm3"
    for size in range(0, len(whole) - 8, 97):  # the last eight bytes only close the tree
        path.write_bytes(whole[:size])
        with pytest.raises(FileError, match="empty file" if size == 0 else "is it truncated"):
            read_image(path)


def test_no_other_part_of_ncempy_is_imported(tmp_path: Path) -> None:
    path = write_dm(tmp_path / "image.dm3", PIXELS, 0.02)
    code = (
        "import sys, pathlib; from studyspec.catalog.readers import read_image;"
        f"read_image(pathlib.Path({str(path)!r}));"
        "print([name for name in sys.modules if name.startswith(('ncempy.', 'matplotlib'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_compressed_tif_is_read(tmp_path: Path) -> None:
    Image.fromarray(PIXELS).save(tmp_path / "image.tif", compression="tiff_lzw")
    assert np.array_equal(read_image(tmp_path / "image.tif").pixels, PIXELS)


def test_an_ome_tif_says_its_pixel_scale(tmp_path: Path) -> None:
    sizes = {"axes": "YX", "PhysicalSizeX": 0.02, "PhysicalSizeXUnit": "nm"}
    tifffile.imwrite(tmp_path / "image.ome.tif", PIXELS, metadata=sizes)
    assert read_image(tmp_path / "image.ome.tif").pixel_scale_nm == pytest.approx(0.02)


def test_a_printers_resolution_is_no_pixel_scale(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "image.tif", PIXELS, resolution=(300, 300), resolutionunit="INCH")
    assert read_image(tmp_path / "image.tif").pixel_scale_nm is None


def test_a_reciprocal_unit_is_no_pixel_scale(tmp_path: Path) -> None:
    assert read_image(write_dm(tmp_path / "i.dm3", PIXELS, 0.02, "1/nm")).pixel_scale_nm is None


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


def test_a_label_with_a_palette_is_particle_where_it_is_not_black(tmp_path: Path) -> None:
    indices = np.zeros((8, 8), np.uint8)
    indices[2:4] = 1
    image = Image.new("P", (8, 8))
    image.putpalette([0, 0, 0, 128, 0, 0])
    image.putdata(indices.ravel().tolist())
    image.save(tmp_path / "label.png")
    assert read_label(tmp_path / "label.png").sum() == 16
