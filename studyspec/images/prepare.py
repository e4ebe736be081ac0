"""Preparing: all preprocessing of one image in order, and its patches on disk."""

from __future__ import annotations

import json
import shutil
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from studyspec.errors import FileError
from studyspec.images.flat_field import divide_by_surface
from studyspec.images.patches import Patches, cut
from studyspec.images.resample import resample, resample_label, zoom_of
from studyspec.images.rescale import rescaled
from studyspec.images.source import Labelled
from studyspec.images.xrays import remove_xrays
from studyspec.spec.settings import PreprocessSettings
from studyspec.twin.micrograph import Surroundings

Image = npt.NDArray[np.float32]


def preprocess(
    pixels: Image,
    settings: PreprocessSettings,
    around: Surroundings | None = None,
    pixel_scale_nm: float | None = None,
) -> Image:
    """X-rays, flat field, resampling, rescaling; shape (H, W), float32; `pixels` is changed.

    What depends on the whole field comes from the field around the image, if there is one.

    Raises
    ------
    FileError
        If a step cannot be done on this image.
    """
    return preprocessed(pixels, settings, around, pixel_scale_nm)[0]


def preprocessed(
    pixels: Image,
    settings: PreprocessSettings,
    around: Surroundings | None = None,
    pixel_scale_nm: float | None = None,
) -> tuple[Image, float]:
    """As `preprocess`; also the standard deviation over the mean that rescaling took away."""
    if settings.xray.enabled:
        remove_xrays(pixels, settings.xray)
    if settings.flat_field.enabled:
        divide_by_surface(pixels, settings.flat_field, around)
    factor = zoom_of(settings.resample, pixel_scale_nm)
    weights = None if around is None else resample(around.weights(), factor)
    return rescaled(resample(pixels, factor), settings.rescale, weights)


def prepare(labelled: Labelled, settings: PreprocessSettings) -> Patches:
    """The patches of an image; its pixels are changed on the way.

    Raises
    ------
    FileError
        If the image has no label, or a step cannot be done.
    """
    if labelled.label is None:
        raise FileError("the image has no label", hint="name one in the catalog, or use predict")
    scale = labelled.pixel_scale_nm
    pixels, spread = preprocessed(labelled.pixels, settings, labelled.surroundings, scale)
    label = resample_label(labelled.label, zoom_of(settings.resample, scale))
    return replace(cut(pixels, label, settings.patch), relative_sd=spread)


def save(patches: Patches, folder: Path) -> int:
    """Write patches as a folder, at once or not at all; returns the bytes written.

    Two processes may save the same patches: the first one stays.
    """
    temporary = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    temporary.mkdir(parents=True)
    np.save(temporary / "images.npy", patches.images)
    np.save(temporary / "labels.npy", patches.labels)
    index = {
        "rows": patches.rows.tolist(),
        "cols": patches.cols.tolist(),
        "shape": list(patches.shape),
        "relative_sd": patches.relative_sd,
    }
    (temporary / "index.json").write_text(json.dumps(index))
    size = sum(file.stat().st_size for file in temporary.iterdir())
    try:
        temporary.rename(folder)
    except OSError:
        shutil.rmtree(temporary)
        if not folder.is_dir():
            raise
    return size


def load(folder: Path) -> Patches:
    """Patches from their folder, memory-mapped.

    Raises
    ------
    FileError
        If the folder is not there or incomplete.
    """
    try:
        index = json.loads((folder / "index.json").read_text())
        images = _mapped(folder / "images.npy")
        labels = _mapped(folder / "labels.npy")
    except (OSError, ValueError) as error:
        raise FileError(f"no prepared patches: {error}", where=str(folder)) from None
    return Patches(
        images,
        labels,
        np.array(index["rows"], np.int32),
        np.array(index["cols"], np.int32),
        (index["shape"][0], index["shape"][1]),
        index.get("relative_sd"),
    )


def _mapped(path: Path) -> Any:
    """An array of a file; an empty one cannot be mapped."""
    try:
        return np.load(path, mmap_mode="r")
    except ValueError:
        return np.load(path)
