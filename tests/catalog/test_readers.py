from __future__ import annotations

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
    path.write_bytes(path.read_bytes()[:-2000])
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
