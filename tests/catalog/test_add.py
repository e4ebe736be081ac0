from __future__ import annotations

import subprocess
import sys
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
        ("Image,label", "column 'Image' is not 'image'; write it as it is there"),
        ("image,Label", "column 'Label' is not 'label'"),
        ("image,PIXEL_SCALE_NM", "column 'PIXEL_SCALE_NM' is not 'pixel_scale_nm'"),
        ("image,IMAGE_ID", "column 'IMAGE_ID' is set by studyspec"),
        ("image,grid,Grid", "column 'Grid' is 'grid' but for case"),
        ("image,grid,grid", "column 'grid' stands twice"),
        ("picture,label", "no column 'image'"),
        ("image,", "a cell in a column without a name"),
        ("image,image_sha256", "column 'image_sha256' is set by studyspec"),
    ],
)
def test_wrong_headers_are_told(tmp_path: Path, header: str, message: str) -> None:
    folder = make_images(tmp_path / "run7")
    table = make_csv(folder, "0.dm3" + ",x" * header.count(","), header=header)
    with pytest.raises(StudySpecError, match=message):
        add(folder, table, tmp_path / "c.parquet", "mine")


def test_an_image_named_twice_is_told(tmp_path: Path) -> None:
    folder = make_images(tmp_path / "run7")
    table = make_csv(folder, "0.dm3,0.png,Au,0.02,Ada,3", "0.dm3,0.png,Au,0.02,Ada,3")
    with pytest.raises(StudySpecError, match=r"csv:3: image '0.dm3' stands here twice"):
        add(folder, table, tmp_path / "catalog.parquet", "mine")


def test_blanks_around_a_name_of_the_header_are_none_of_it(tmp_path: Path) -> None:
    folder, catalog = make_images(tmp_path / "run7"), tmp_path / "c.parquet"
    table = make_csv(folder, "0.dm3, 0.png ,Au", header="image, label , material")
    add(folder, table, catalog, "mine")
    row = Catalog.open(catalog).rows[0]
    assert (row.label_uri, row.material) == ("run7/0.png", "Au")


@pytest.mark.parametrize("header", ["image,labels", "image,mask"])
def test_images_without_labels_are_told(tmp_path: Path, header: str) -> None:
    folder = make_images(tmp_path / "run7")
    table = make_csv(folder, "0.dm3,0.png", header=header)
    found = add(folder, table, tmp_path / "c.parquet", "mine")
    assert "there is no column 'label': no image has a label" in found.notes[0]
    table = make_csv(folder, "0.dm3,0.png", "1.dm3,", header="image,label")
    assert "1 of 2 images have no label" in add(folder, table, tmp_path / "d.parquet", "a").notes


@pytest.mark.parametrize(
    "text", ["1_000", "nan", "inf", "1e999", "1,5", "0x10", "\u0661", "1 000", "--1", "."]
)
def test_what_only_resembles_a_number_is_none(tmp_path: Path, text: str) -> None:
    folder = make_images(tmp_path / "run7")
    table = make_csv(folder, f'0.dm3,"{text}",3', header="image,dose_e_per_A2,grid")
    with pytest.raises(StudySpecError, match=r"csv:2, column 'dose_e_per_A2': .* is not a number"):
        add(folder, table, tmp_path / "c.parquet", "mine")
    table = make_csv(folder, f'0.dm3,3,"{text}"', header="image,dose_e_per_A2,grid")
    add(folder, table, tmp_path / "c.parquet", "mine")
    assert Catalog.open(tmp_path / "c.parquet").rows[0].further["grid"] == text


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (("1", "-2"), [1, -2]),
        (("1", "2.5e3"), [1.0, 2500.0]),
        (("007", "8"), ["007", "8"]),
        (("9223372036854775807", "1"), [2**63 - 1, 1]),
        (("9223372036854775808", "1"), ["9223372036854775808", "1"]),
    ],
)
def test_the_users_columns_are_numbers_only_if_nothing_is_lost(
    tmp_path: Path, cells: tuple[str, str], values: list[object]
) -> None:
    folder = make_images(tmp_path / "run7")
    table = make_csv(folder, f"0.dm3,{cells[0]}", f"1.dm3,{cells[1]}", header="image,grid")
    add(folder, table, tmp_path / "c.parquet", "mine")
    assert [row.further["grid"] for row in Catalog.open(tmp_path / "c.parquet").rows] == values


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"image\n0.dm3\0\n", "csv:2: a NUL character"),
        (b"image\n" + b"x" * 300 + b"\n", "is no name of a file"),
        (b'image\n"' + b"x" * 200_000 + b'"\n', "no CSV: field larger"),
        (b"", "no images listed"),
    ],
)
def test_other_encodings_and_files_are_told(tmp_path: Path, data: bytes, message: str) -> None:
    folder = make_images(tmp_path / "run7")
    (folder / "metadata.csv").write_bytes(data)
    with pytest.raises(StudySpecError, match=message):
        add(folder, folder / "metadata.csv", tmp_path / "c.parquet", "mine")


def test_folders_of_one_name_keep_their_images_apart(tmp_path: Path) -> None:
    catalog, line = tmp_path / "c.parquet", "0.dm3,0.png,Au,0.02,Ada,3"
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        make_images(tmp_path / place / "run7")
    a, b = (tmp_path / place / "run7" for place in ("a", "b"))
    add(a, make_csv(a, line), catalog, "first")
    found = add(b, make_csv(b, line), catalog, "second")
    assert (found.added, found.replaced) == (1, 0)
    rows = Catalog.open(catalog).rows
    assert [(row.collection, row.image_id) for row in rows] == [
        ("first", "run7/0.dm3"),
        ("second", "second/run7/0.dm3"),
    ]
    assert add(b, make_csv(b, line), catalog, "second").unchanged == 1
    before = catalog.read_bytes()
    with pytest.raises(StudySpecError, match=r"is another image already: a/run7/0.dm3.*--replace"):
        add(b, make_csv(b, line), catalog, "first")
    assert catalog.read_bytes() == before
    assert add(b, make_csv(b, line), catalog, "first", replace_others=True).replaced == 1


ADD = """
import sys
from pathlib import Path
from studyspec.catalog.add import add
folder = Path(sys.argv[1])
add(folder, folder / "metadata.csv", Path(sys.argv[2]), folder.name)
"""


def test_adding_at_once_loses_nobodys_rows(tmp_path: Path) -> None:
    catalog, folders = tmp_path / "c.parquet", [make_images(tmp_path / f"run{i}") for i in range(3)]
    for folder in folders:
        make_csv(folder, *(f"{i}.dm3,{i}.png,Au,0.02,Ada,3" for i in range(3)))
    words = [sys.executable, "-c", ADD]
    adding = [subprocess.Popen([*words, str(folder), str(catalog)]) for folder in folders]
    assert [process.wait(120) for process in adding] == [0, 0, 0]
    assert len(Catalog.open(catalog).rows) == 9
