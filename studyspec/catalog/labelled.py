"""Labelled folders: images with labels as people keep them, found without being told how.

A CSV that names both; labels that are called like their images, in the folder or in `labels/`; or
HDF5 files with datasets `images` and `labels`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from studyspec.errors import CatalogError
from studyspec.files import whole
from studyspec.plugins.registry import READERS

METADATA = "metadata.csv"
ENDINGS = ("_label", "_mask", "_labels", "")
"""How the name of a label goes on after that of its image; the last in a folder of labels only."""
FOLDERS = ("labels", "masks")
IMAGES, LABELS = "images", "labels"
HDF5 = (".h5", ".hdf5", ".hdf")
FORMS = (
    "a CSV with the columns image and label, labels named like their images (a.tif, a_label.png), "
    "a folder labels/, or HDF5 files with datasets images and labels"
)


@dataclass(frozen=True)
class Labelled:
    """What was found: the folder that names start from, the CSV of images and labels, and images
    that have no label, which are left out.
    """

    folder: Path
    metadata: Path
    unlabelled: tuple[str, ...] = ()


def find_labelled(folder: Path, work: Path) -> Labelled:
    """Find the images and labels of a folder; what has to be written for it goes to `work`.

    Raises
    ------
    CatalogError
        If there is no such folder, or none of the forms is in it.
    FileError
        If a file cannot be read.
    """
    if not folder.is_dir():
        raise CatalogError(
            "no such folder", where=str(folder), hint="name the folder of images and labels"
        )
    if (metadata := _metadata(folder)) is not None:
        return Labelled(folder, metadata)
    if pairs := list(_hdf5_pairs(folder)):
        return _extracted(pairs, work)
    return _named_alike(folder, work)


def _metadata(folder: Path) -> Path | None:
    """The CSV of a folder that names images."""
    found = [path for path in sorted(folder.glob("*.csv")) if "image" in _header(path)]
    usual = [path for path in found if path.name == METADATA]
    if len(found) > 1 and not usual:
        names = " and ".join(path.name for path in found[:2])
        raise CatalogError(
            f"{names} both name images", where=str(folder), hint=f"call the right one {METADATA}"
        )
    return next(iter(usual or found), None)


def _header(path: Path) -> list[str]:
    text = path.read_bytes().split(b"\n", 1)[0].decode("utf-8-sig", errors="replace")
    return [cell.strip().strip('"') for cell in text.replace(";", ",").split(",")]


def _named_alike(folder: Path, work: Path) -> Labelled:
    """Images of a folder, or of its `images/`, and the labels that are called like them."""
    suffixes = tuple(suffix for reader in READERS for suffix in reader.suffixes)
    inner = folder / IMAGES
    place = inner if inner.is_dir() else folder
    files = [p for p in sorted(place.iterdir()) if p.is_file() and _suffixed(p, suffixes)]
    others = [folder / name for name in FOLDERS if (folder / name).is_dir()]
    beside = {p for p in files if any(p.stem.endswith(ending) for ending in ENDINGS if ending)}
    labels = {p.stem: p for p in sorted(beside)}
    apart = {p.stem: p for other in others for p in sorted(other.iterdir())}
    pairs: list[tuple[Path, Path]] = []
    unlabelled = []
    for image in (path for path in files if path not in beside):
        stem = image.stem
        found = [labels[stem + e] for e in ENDINGS if e and stem + e in labels]
        found += [apart[stem + e] for e in ENDINGS if stem + e in apart]
        if found:
            pairs.append((image, found[0]))
        else:
            unlabelled.append(image.name)
    if not pairs:
        raise CatalogError(
            f"no labelled images: {len(unlabelled)} images, and no label for any of them",
            where=str(folder),
            hint=f"expected {FORMS}; without labels: studyspec trust",
        )
    rows = [(str(i.relative_to(folder)), str(lab.relative_to(folder))) for i, lab in pairs]
    return Labelled(folder, _written(rows, work), tuple(unlabelled))


def _suffixed(path: Path, suffixes: Sequence[str]) -> bool:
    return path.name.lower().endswith(tuple(suffixes))


def _written(rows: Iterable[tuple[str, str]], work: Path) -> Path:
    work.mkdir(parents=True, exist_ok=True)
    with (work / METADATA).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("image", "label"), *rows])
    return work / METADATA


@dataclass(frozen=True)
class _Pair:
    """A file that holds images, and the one that holds their labels."""

    images: Path
    labels: Path

    @property
    def stem(self) -> str:
        return _bare(self.images, IMAGES)


def _hdf5_pairs(folder: Path) -> Iterator[_Pair]:
    """The HDF5 files of a folder that belong together: by name, or as there is one of each."""
    import h5py

    held: dict[str, list[Path]] = {IMAGES: [], LABELS: []}
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in HDF5):
        if not h5py.is_hdf5(path):
            continue
        with h5py.File(path) as file:
            for name in held:
                if isinstance(file.get(name), h5py.Dataset):
                    held[name].append(path)
    labels = {_bare(path, LABELS): path for path in held[LABELS]}
    for images in held[IMAGES]:
        alone = len(held[IMAGES]) == len(held[LABELS]) == 1
        found = held[LABELS][0] if alone else labels.get(_bare(images, IMAGES))
        if images in held[LABELS]:
            found = images
        if found is not None:
            yield _Pair(images, found)


def _bare(path: Path, word: str) -> str:
    """The name of a file without the word for what is in it."""
    stem = path.stem.lower()
    for form in (word, word.removesuffix("s")):
        stem = stem.replace(form, "")
    return stem.strip("_- ")


def _extracted(pairs: Sequence[_Pair], work: Path) -> Labelled:
    """Every image and label of HDF5 files as a file of its own; those that are there stay."""
    import h5py

    rows = []
    (work / "files").mkdir(parents=True, exist_ok=True)
    for number, pair in enumerate(pairs):
        with h5py.File(pair.images) as images, h5py.File(pair.labels) as labels:
            both = images[IMAGES], labels[LABELS]
            if both[0].shape[:3] != both[1].shape[:3]:
                raise CatalogError(
                    f"{both[0].shape} images and {both[1].shape} labels do not belong together",
                    where=f"{pair.images}, {pair.labels}",
                )
            for i in range(len(both[0])):
                stem = f"{pair.stem or number}_{i:04d}"
                names = f"{stem}.npy", f"{stem}_label.npy"
                planes = _plane(both[0][i], label=False), _plane(both[1][i], label=True)
                for name, plane in zip(names, planes, strict=True):
                    with whole(work / "files" / name, durable=False) as half, half.open("wb") as f:
                        np.save(f, plane)
                rows.append(names)
    return Labelled(work / "files", _written(rows, work))


def _plane(array: np.ndarray, label: bool) -> np.ndarray:
    """One image (H, W), or one label as 0 and 1; of two channels the second is particle."""
    if array.ndim == 3:
        array = array[..., 1] > array[..., 0] if array.shape[-1] == 2 else array[..., 0]
    return (array > 0).astype(np.uint8) if label else np.asarray(array, np.float32)
