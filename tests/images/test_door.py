from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studyspec.catalog.row import ImageRow
from studyspec.errors import FileError, PluginError
from studyspec.images.door import Door
from studyspec.plugins.contracts import Whereabouts
from studyspec.plugins.registry import SOURCES
from tests.camera_files import write_dm
from tests.distributions import fresh, install


def door(folder: Path) -> Door:
    return Door(Whereabouts(folder / "catalog.parquet", folder / "cache"))


def camera_row(folder: Path, label_size: int = 32) -> ImageRow:
    write_dm(folder / "image.dm3", np.full((32, 32), 7, np.uint16), 0.03)
    Image.fromarray(np.eye(label_size, dtype=np.uint8)).save(folder / "label.png")
    return ImageRow("mine/image", "mine", "image.dm3", "label.png", pixel_scale_nm=0.03)


def test_a_camera_file_and_its_label_are_read(tmp_path: Path) -> None:
    found = door(tmp_path).read(camera_row(tmp_path), "drawn")
    assert found.label is not None
    assert (found.pixels[0, 0], found.label.sum(), found.notes) == (7, 32, ())


def test_a_header_that_contradicts_the_catalog_is_noted(tmp_path: Path) -> None:
    row = replace(camera_row(tmp_path), pixel_scale_nm=0.02)
    notes = door(tmp_path).read(row, "drawn").notes
    assert notes == ("mine/image: the header says 0.03 nm per pixel, the catalog 0.02",)


def test_a_label_of_another_shape_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"mine/image: the label is \(16, 16\) but the image"):
        door(tmp_path).read(camera_row(tmp_path, 16), "drawn")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0, -0.02])
@pytest.mark.parametrize("name", ["pixel_scale_nm", "dose_e_per_A2"])
def test_a_quantity_that_cannot_be_is_told(tmp_path: Path, name: str, value: float) -> None:
    row = replace(camera_row(tmp_path), **{name: value})  # type: ignore[arg-type]
    for asked in (door(tmp_path).identity, door(tmp_path).read):
        with pytest.raises(FileError, match=f"mine/image: {name} is {value}; expected a number"):
            asked(row, "drawn")


def test_a_changed_file_is_another_image(tmp_path: Path) -> None:
    row = camera_row(tmp_path)
    before = door(tmp_path).identity(row, "drawn")
    assert door(tmp_path).identity(row, "drawn") == before
    write_dm(tmp_path / "image.dm3", np.full((32, 32), 8, np.uint16), 0.03)
    after = door(tmp_path).identity(row, "drawn")
    assert after.image_sha256 != before.image_sha256
    assert after.label_sha256 == before.label_sha256


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    row = replace(camera_row(tmp_path), image_uri="gone.dm3")
    with pytest.raises(FileError, match=r"gone\.dm3: no such file"):
        door(tmp_path).identity(row, "drawn")


def test_an_exact_label_is_of_the_twin_alone(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no exact label; set label = 'drawn'"):
        door(tmp_path).identity(camera_row(tmp_path), "exact")


def test_an_unknown_scheme_is_told_with_the_known_ones(tmp_path: Path) -> None:
    row = replace(camera_row(tmp_path), label_uri="s3://bucket/label.png")
    message = r"mine/image: 's3://bucket/label.png': no source .* scheme 's3'; known: .*http.*twin"
    with pytest.raises(FileError, match=message):
        door(tmp_path).identity(row, "drawn")


SOURCE = """
import numpy as np
from studyspec.plugins.contracts import Source
from studyspec.plugins.values import RawImage

class Lab(Source):
    name = "lab"
    schemes = ("lab", "LAB")

    def digest(self, uri, row, at):
        return {"lab:short": "abc"}.get(uri, "c" * 64)

    def image(self, uri, row, at):
        if uri == "lab:down":
            raise OSError("the shelf is locked")
        return None if uri == "lab:none" else RawImage(np.ones((32, 32), np.float32), 0.03)

    def label(self, uri, row, at):
        return np.zeros((32, 32), np.uint8)

LAB = Lab()
"""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageRow:
    monkeypatch.syspath_prepend(install(tmp_path, "labware", "2.0", {"source": "labware_source"}))
    (tmp_path / "labware_source.py").write_text(SOURCE)
    fresh(monkeypatch, SOURCES)
    return replace(camera_row(tmp_path), image_uri="lab:1")


def test_image_and_label_may_have_sources_of_their_own(tmp_path: Path, lab: ImageRow) -> None:
    assert door(tmp_path).identity(lab, "drawn").image_sha256 == "c" * 64
    found = door(tmp_path).read(lab, "drawn")
    assert found.label is not None
    assert (found.pixels[0, 0], found.label.sum()) == (1, 32)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_uri": "lab:down"}, "OSError: the shelf is locked"),
        ({"image_uri": "lab:none"}, "of 'lab:none' it gave no image"),
        ({"label_uri": "lab:1"}, "of 'lab:1' it gave no label"),
    ],
)
def test_a_source_that_breaks_its_promise_is_named(
    tmp_path: Path, lab: ImageRow, changes: dict[str, str], message: str
) -> None:
    with pytest.raises(PluginError, match=f"source 'lab' of labware 2.0 failed: {message}"):
        door(tmp_path).read(ImageRow.from_json({**lab.values(), **changes}), "drawn")


def test_what_is_no_digest_is_told(tmp_path: Path, lab: ImageRow) -> None:
    with pytest.raises(PluginError, match="of 'lab:short' it gave the digest 'abc'"):
        door(tmp_path).identity(replace(lab, image_uri="lab:short"), "drawn")


def test_a_scheme_of_two_sources_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(install(tmp_path, "webber", "3", {"source": "webber_source"}))
    text = SOURCE.replace('"lab", "LAB"', '"https",').replace('name = "lab"', 'name = "web"')
    (tmp_path / "webber_source.py").write_text(text)
    fresh(monkeypatch, SOURCES)
    row = replace(camera_row(tmp_path), image_uri="https://x.org/a.dm3")
    with pytest.raises(PluginError, match=r"'https' belongs to two .*studyspec .*webber 3"):
        door(tmp_path).identity(row, "drawn")
    assert door(tmp_path).identity(camera_row(tmp_path), "drawn")
