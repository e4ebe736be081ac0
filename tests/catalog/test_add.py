from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studyspec.catalog.add import add
from studyspec.catalog.table import Catalog
from studyspec.errors import StudySpecError
from studyspec.spec.filters import DatasetFilter
from tests.camera_files import write_dm

HEADER = "image,label,material,pixel_scale_nm,operator,grid"


def make_images(folder: Path, n: int = 3) -> Path:
    """A folder of camera files with labels, 0.02 nm per pixel in their headers."""
    folder.mkdir()
    for i in range(n):
        write_dm(folder / f"{i}.dm3", np.full((32, 32), i + 1, np.uint16), 0.02)
        Image.fromarray(np.zeros((32, 32), np.uint8)).save(folder / f"{i}.png")
    return folder


def make_csv(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "metadata.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def test_images_become_rows_with_the_users_own_columns(tmp_path: Path) -> None:
    folder = make_images(tmp_path / "run7")
    table = make_csv(folder, "0.dm3,0.png,Au,0.02,Ada,3", "1.dm3,1.png,Ag,0.02,Bo,4")
    report = add(folder, table, tmp_path / "catalog.parquet", "mine")
    assert (report.added, report.notes) == (2, ())
    catalog = Catalog.open(tmp_path / "catalog.parquet")
    found = catalog.select(DatasetFilter.model_validate({"operator": "Bo", "grid": 4}), "mine")
    assert [row.image_id for row in found] == ["run7/1.dm3"]
    assert (found[0].width_px, found[0].image_uri) == (32, "run7/1.dm3")


def test_the_pixel_scale_comes_from_the_header_if_it_is_not_given(tmp_path: Path) -> None:
    folder = make_images(tmp_path / "run7")
    add(folder, make_csv(folder, "0.dm3,,Au,,Ada,3"), tmp_path / "catalog.parquet", "mine")
    row = Catalog.open(tmp_path / "catalog.parquet").rows[0]
    assert row.pixel_scale_nm == pytest.approx(0.02)
    assert row.label_uri is None


def test_a_header_that_contradicts_the_csv_is_noted(tmp_path: Path) -> None:
    folder = make_images(tmp_path / "run7")
    table = make_csv(folder, "0.dm3,0.png,Au,0.03,Ada,3")
    report = add(folder, table, tmp_path / "catalog.parquet", "mine")
    assert report.notes == ("run7/0.dm3: the header says 0.02 nm per pixel, the CSV 0.03",)


def test_adding_again_changes_nothing_and_other_values_replace(tmp_path: Path) -> None:
    folder, catalog = make_images(tmp_path / "run7"), tmp_path / "catalog.parquet"
    add(folder, make_csv(folder, "0.dm3,0.png,Au,0.02,Ada,3"), catalog, "mine")
    before = catalog.read_bytes()
    again = add(folder, folder / "metadata.csv", catalog, "mine")
    assert (again.unchanged, catalog.read_bytes()) == (1, before)
    table = make_csv(folder, "0.dm3,0.png,Ag,0.02,Ada,3", "1.dm3,1.png,Au,0.02,Ada,3")
    changed = add(folder, table, catalog, "mine")
    assert (changed.added, changed.replaced) == (1, 1)
    assert [row.material for row in Catalog.open(catalog).rows] == ["Ag", "Au"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0.dm3,0.png,Au,thin,Ada,3", r"csv:2, column 'pixel_scale_nm': 'thin' is not a number"),
        ("01.dm3,0.png,Au,0.02,Ada,3", r"csv:2, column 'image': no file '01.dm3'.*mean '1.dm3'"),
        ("0.dm3,0.png,Au", "another number of cells than the header"),
        (",0.png,Au,0.02,Ada,3", "the image is not named"),
        ("0.dm3,small.png,Au,0.02,Ada,3", "the label is not 32 x 32 pixels as its image is"),
    ],
)
def test_wrong_lines_are_told_and_nothing_is_written(
    tmp_path: Path, line: str, message: str
) -> None:
    folder = make_images(tmp_path / "run7")
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "small.png")
    with pytest.raises(StudySpecError, match=message):
        add(folder, make_csv(folder, line), tmp_path / "catalog.parquet", "mine")
    assert not (tmp_path / "catalog.parquet").exists()


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Image,label", "no column 'image'"),
        ("image,image_sha256", "column 'image_sha256' is set by studyspec"),
    ],
)
def test_wrong_headers_are_told(tmp_path: Path, header: str, message: str) -> None:
    folder = make_images(tmp_path / "run7")
    with pytest.raises(StudySpecError, match=message):
        add(folder, make_csv(folder, "0.dm3,x", header=header), tmp_path / "c.parquet", "mine")


def test_an_image_named_twice_is_told(tmp_path: Path) -> None:
    folder = make_images(tmp_path / "run7")
    table = make_csv(folder, "0.dm3,0.png,Au,0.02,Ada,3", "0.dm3,0.png,Au,0.02,Ada,3")
    with pytest.raises(StudySpecError, match=r"csv:3: image '0.dm3' stands here twice"):
        add(folder, table, tmp_path / "catalog.parquet", "mine")
