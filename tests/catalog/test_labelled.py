from __future__ import annotations

import csv
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from studyspec.catalog.labelled import Labelled, find_labelled
from studyspec.catalog.readers import read_image, read_label
from studyspec.errors import CatalogError

PLANE = np.arange(64, dtype=np.uint8).reshape(8, 8)


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(PLANE).save(path)


def pairs(found: Labelled) -> list[tuple[str, str]]:
    with found.metadata.open(newline="") as file:
        return [(row["image"], row["label"]) for row in csv.DictReader(file)]


def test_a_csv_is_believed(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("image;label\na.png;b.png\n")
    (tmp_path / "notes.csv").write_text("what,else\n")
    found = find_labelled(tmp_path, tmp_path / "work")
    assert found == Labelled(tmp_path, tmp_path / "mine.csv")
    (tmp_path / "other.csv").write_text("image,label\n")
    with pytest.raises(CatalogError, match=r"mine\.csv and other\.csv both name images"):
        find_labelled(tmp_path, tmp_path / "work")
    (tmp_path / "metadata.csv").write_text("image,label\n")
    assert find_labelled(tmp_path, tmp_path / "work").metadata.name == "metadata.csv"


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("a.png", "a_label.png"),
        ("a.png", "a_mask.png"),
        ("a.png", "labels/a.png"),
        ("images/a.png", "labels/a_label.png"),
        ("images/a.png", "masks/a.png"),
    ],
)
def test_labels_are_called_like_their_images(tmp_path: Path, image: str, label: str) -> None:
    folder = tmp_path / "data"
    for name in (image, label, image.replace("a.", "b.")):
        picture(folder / name)
    found = find_labelled(folder, tmp_path / "work")
    assert pairs(found) == [(image, label)]
    assert found.unlabelled == ("b.png",)
    assert found.metadata.parent == tmp_path / "work"


@pytest.mark.parametrize("channels", [0, 1, 2])
@pytest.mark.parametrize("names", [("Au_Images.h5", "Au_Labels.h5"), ("a.h5", "b.h5")])
def test_hdf5_files_hold_images_and_labels(
    tmp_path: Path, channels: int, names: tuple[str, str]
) -> None:
    images = np.random.default_rng(0).normal(size=(3, 16, 16)).astype(np.float32)
    truth = images > 1
    labels = truth.astype(np.uint8)
    if channels:
        images = images[..., None]
        labels = np.stack([~truth, truth][-channels:], axis=-1).astype(np.uint8)
    with h5py.File(tmp_path / names[0], "w") as file:
        file["images"] = images
    with h5py.File(tmp_path / names[1], "w") as file:
        file["labels"] = labels
    (tmp_path / "network.h5").write_bytes(b"a pickle")
    found = find_labelled(tmp_path, tmp_path / "work")
    for i, (image, label) in enumerate(pairs(found)):
        np.testing.assert_array_equal(
            read_image(found.folder / image).pixels, images[i].reshape(16, 16)
        )
        np.testing.assert_array_equal(read_label(found.folder / label), truth[i])
    assert len(pairs(found)) == 3


def test_hdf5_files_that_do_not_belong_together_are_told(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["images"], file["labels"] = np.zeros((3, 8, 8)), np.zeros((2, 8, 8))
    with pytest.raises(CatalogError, match="do not belong together"):
        find_labelled(tmp_path, tmp_path / "work")


def test_a_folder_without_labels_is_told(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    with pytest.raises(CatalogError, match="1 images, and no label for any"):
        find_labelled(tmp_path, tmp_path / "work")
    with pytest.raises(CatalogError, match="no such folder"):
        find_labelled(tmp_path / "none", tmp_path / "work")
