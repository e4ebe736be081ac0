"""Preparing: the steps of a pipeline on one image in order, and its patches on disk."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from studyspec import seals
from studyspec.errors import FileError
from studyspec.files import whole_folder
from studyspec.images.door import Labelled
from studyspec.images.noise import FRAME_COUNTS, IMAGE_COUNTS
from studyspec.images.patches import Patches, cut
from studyspec.plugins.guard import blamed, broken_promise
from studyspec.plugins.values import FileArray, Image, Value, WorkingImage
from studyspec.spec.uses import Pipeline

ROWS_AT_ONCE = 64
GAUGE_PX = 10**9
"""An edge so long that rounding to whole pixels does not count."""


def preprocess(image: WorkingImage, pipeline: Pipeline) -> WorkingImage:
    """An image after all steps of a pipeline; its pixels are changed on the way.

    Raises
    ------
    FileError
        If a step cannot be done on this image.
    PluginError
        If a step is not installed, or does not do what it promises.
    """
    whole = image.pixels if image.frame is None else image.frame.view
    counts = {IMAGE_COUNTS: image.pixels, FRAME_COUNTS: whole}
    means = {name: float(one.mean(dtype=np.float64)) for name, one in counts.items()}
    image = replace(image, facts={**image.facts, **means})
    for step in pipeline.bound:
        with blamed("step", step.found):
            done: object = step.plugin.apply(image, step.settings)
        if not isinstance(done, WorkingImage):
            raise broken_promise("step", step.found, f"it gave a {type(done).__name__}")
        if fault := _fault(done, has_label=image.label is not None):
            raise broken_promise("step", step.found, fault)
        image = done
    return image


def prepared_scale_nm(pipeline: Pipeline, pixel_scale_nm: float) -> float | None:
    """The pixel scale of an image after the steps of a pipeline [nm]; None if one does not say."""
    before = (GAUGE_PX, GAUGE_PX)
    after: tuple[int, int] | None = before
    scale = pixel_scale_nm
    for step in pipeline.bound:
        after = step.plugin.shape(before, scale, step.settings)
        if after is None:
            return None
        scale *= before[0] / after[0]
    return scale


def _fault(image: WorkingImage, has_label: bool) -> str:
    """What of an image after a step is not as it must be; empty if all is."""
    pixels: object = image.pixels
    if not (isinstance(pixels, np.ndarray) and pixels.dtype == np.float32 and pixels.ndim == 2):
        return f"its pixels are {_worded(pixels)}, not a float32 array (H, W)"
    if not _finite(pixels):
        return "its pixels are not all finite"
    label: object = image.label
    if label is None:
        return "its label is gone" if has_label else ""
    if not (isinstance(label, np.ndarray) and label.dtype == np.bool_):
        return f"its label is {_worded(label)}, not a bool array"
    if label.shape != pixels.shape:
        return f"its label is {label.shape} but the image {pixels.shape} [px]"
    if image.frame is not None and image.frame.weights.shape != pixels.shape:
        return f"its frame's weights are {image.frame.weights.shape} but the image {pixels.shape}"
    wrong = [name for name, value in image.facts.items() if not math.isfinite(value)]
    return f"its fact '{wrong[0]}' is {image.facts[wrong[0]]}" if wrong else ""


def _finite(pixels: Image) -> bool:
    """Whether all pixels are numbers; a few rows at a time."""
    starts = range(0, len(pixels), ROWS_AT_ONCE)
    return all(np.isfinite(pixels[start : start + ROWS_AT_ONCE]).all() for start in starts)


def _worded(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    return f"a {type(value).__name__}"


def prepare(labelled: Labelled, pipeline: Pipeline, columns: Mapping[str, Value]) -> Patches:
    """The patches of an image; its pixels are changed on the way.

    Parameters
    ----------
    labelled
        The image with its label.
    pipeline
        The steps, and how patches are cut.
    columns
        The catalog's values that the steps read.

    Raises
    ------
    FileError
        If the image has no label, or a step cannot be done.
    PluginError
        As `preprocess`.
    """
    if labelled.label is None:
        raise FileError("the image has no label", hint="name one in the catalog, or use predict")
    image = WorkingImage(
        labelled.pixels, labelled.label, labelled.pixel_scale_nm, labelled.frame, columns
    )
    done = preprocess(image, pipeline)
    facts = {name: float(value) for name, value in done.facts.items()}
    return replace(cut(done.pixels, done.label, pipeline.patch), facts=facts)


@dataclass(frozen=True)
class Saved:
    """What was written: bytes, and the digest of the digests of all files."""

    bytes: int
    sha256: str


def save(patches: Patches, folder: Path) -> Saved:
    """Write patches as a folder with their digests, at once or not at all.

    Two processes may save the same patches: the first one stays, unless it is damaged.
    """
    try:
        seals.check_folder(folder)
    except (OSError, seals.Broken):
        shutil.rmtree(folder, ignore_errors=True)
    index = {
        "rows": patches.rows.tolist(),
        "cols": patches.cols.tolist(),
        "shape": list(patches.shape),
        "facts": dict(patches.facts),
    }
    with whole_folder(folder) as half:
        np.save(half / "images.npy", patches.images)
        np.save(half / "labels.npy", patches.labels)
        (half / "index.json").write_text(json.dumps(index))
        sha256 = seals.seal_folder(half)
        return Saved(sum(file.stat().st_size for file in half.iterdir()), sha256)


def load(folder: Path) -> Patches:
    """Patches from their folder, memory-mapped.

    Raises
    ------
    FileError
        If the folder is not there, incomplete, or not as it was written.
    """
    try:
        seals.check_folder(folder)
        index = json.loads((folder / "index.json").read_text())
        return Patches(
            _mapped(folder / "images.npy"),
            _mapped(folder / "labels.npy"),
            np.array(index["rows"], np.int32),
            np.array(index["cols"], np.int32),
            (index["shape"][0], index["shape"][1]),
            index["facts"],
        )
    except (OSError, ValueError, KeyError, seals.Broken) as error:
        raise FileError(f"no prepared patches: {error}", where=str(folder)) from None


def _mapped(path: Path) -> FileArray:
    """An array of a file; an empty one cannot be mapped."""
    array: FileArray
    try:
        array = np.load(path, mmap_mode="r")
    except ValueError:
        array = np.load(path)
    return array
