from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studyspec.catalog.pins import Pin, Pins
from studyspec.catalog.row import ImageRow
from studyspec.catalog.table import Catalog
from studyspec.errors import FileError, TwinError
from studyspec.images.source import Source, Unfetched
from tests.camera_files import write_dm

PROJECT = Path(__file__).parents[2]


def source(folder: Path, twin_cache: Path | None = None) -> Source:
    return Source(folder / "catalog.parquet", folder / "cache", None, twin_cache)


def camera_row(folder: Path, label_size: int = 32) -> ImageRow:
    write_dm(folder / "image.dm3", np.full((32, 32), 7, np.uint16), 0.03)
    Image.fromarray(np.eye(label_size, dtype=np.uint8)).save(folder / "label.png")
    return ImageRow("mine/image", "mine", "image.dm3", "label.png", pixel_scale_nm=0.03)


def twin_row() -> ImageRow:
    rows = Catalog.open(PROJECT / "data_catalog.parquet").rows
    row = next(row for row in rows if row.collection == "twin")
    return replace(row, width_px=96, height_px=96)


def test_a_camera_file_and_its_label_are_read(tmp_path: Path) -> None:
    found = source(tmp_path).read(camera_row(tmp_path), "drawn")
    assert found.label is not None
    assert (found.pixels[0, 0], found.label.sum(), found.notes) == (7, 32, ())


def test_a_header_that_contradicts_the_catalog_is_noted(tmp_path: Path) -> None:
    row = replace(camera_row(tmp_path), pixel_scale_nm=0.02)
    notes = source(tmp_path).read(row, "drawn").notes
    assert notes == ("mine/image: the header says 0.03 nm per pixel, the catalog 0.02",)


def test_a_label_of_another_shape_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"mine/image: the label is \(16, 16\) but the image"):
        source(tmp_path).read(camera_row(tmp_path, 16), "drawn")


def test_a_changed_file_is_another_image(tmp_path: Path) -> None:
    row = camera_row(tmp_path)
    before = source(tmp_path).identity(row, "drawn")
    assert source(tmp_path).identity(row, "drawn") == before
    write_dm(tmp_path / "image.dm3", np.full((32, 32), 8, np.uint16), 0.03)
    after = source(tmp_path).identity(row, "drawn")
    assert after.image_sha256 != before.image_sha256
    assert after.label_sha256 == before.label_sha256


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    row = replace(camera_row(tmp_path), image_uri="gone.dm3")
    with pytest.raises(FileError, match=r"gone\.dm3: no such file"):
        source(tmp_path).identity(row, "drawn")


def test_a_remote_file_is_known_by_its_pin_alone(tmp_path: Path) -> None:
    row = ImageRow("x", "c", "published:a/x.dm3", "published:a/x.png")
    with pytest.raises(Unfetched, match="studyspec catalog fetch"):
        source(tmp_path).identity(row, "drawn")
    pins = Pins.beside(tmp_path / "catalog.parquet")
    pins.add([Pin(uri, "ab" * 32, 1) for uri in (row.image_uri, row.label_uri or "")])
    assert source(tmp_path).identity(row, "drawn").image_sha256 == "ab" * 32
    with pytest.raises(Unfetched):
        source(tmp_path).read(row, "drawn")


def test_an_exact_label_is_of_the_twin_alone(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no exact label; set label = 'drawn'"):
        source(tmp_path).identity(camera_row(tmp_path), "exact")


def test_a_twin_image_is_rendered_once(tmp_path: Path) -> None:
    one = source(tmp_path, tmp_path / "twin")
    first, again = (one.read(twin_row(), label) for label in ("drawn", "exact"))
    assert np.array_equal(first.pixels, again.pixels)
    sha = one.identity(twin_row(), "drawn").image_sha256
    assert [path.name for path in (tmp_path / "twin").iterdir()] == [f"{sha}.npz"]


def test_labels_of_a_twin_image_have_identities_of_their_own(tmp_path: Path) -> None:
    drawn, exact = (source(tmp_path).identity(twin_row(), k) for k in ("drawn", "exact"))
    assert drawn.image_sha256 == exact.image_sha256
    assert drawn.label_sha256 != exact.label_sha256


def test_a_row_that_the_twin_cannot_make_is_told(tmp_path: Path) -> None:
    with pytest.raises(TwinError, match="the twin knows no material 'Unobtainium'; known: Au"):
        source(tmp_path).identity(replace(twin_row(), material="Unobtainium"), "drawn")
