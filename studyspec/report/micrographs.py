"""Micrographs: the worst images of each test set, whole, with their labels.

Of an image that is not at hand its prepared patches are put together; what was left out of the test
stays blank then.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import binary_dilation, binary_erosion

from studyspec.jobs.kept import shades
from studyspec.report.frames import StudyFrames
from studyspec.spec.derived import DICE

if TYPE_CHECKING:
    from studyspec.images.door import LabelKind
    from studyspec.images.patches import Patches
    from studyspec.jobs.task import Key

WORST = 6
"""Micrographs of a test set."""
SHOWN_PX = 480
QUALITY = 80
BLANK = 236
HALF = 0.5
OUTLINE = (0, 200, 220)


@dataclass(frozen=True)
class Micrograph:
    """An image of a test set as a JPEG, with its label as outline, and where its patches lie.

    Attributes
    ----------
    test, image_id
        Which it is.
    height, width
        In patches: patch (row, col) begins `row` patches from the top and `col` from the left.
    jpeg
        The whole image.
    """

    test: str
    image_id: str
    height: float
    width: float
    jpeg: bytes


def micrographs(frames: StudyFrames) -> list[Micrograph]:
    """The worst images of each test set, by their mean dice over all networks, worst first."""
    found = []
    for test in dict.fromkeys(row.test for row in frames.images.rows if row.split == "test"):
        keys, dataset = _keys(frames, test), frames.plan.datasets.get(test)
        label: LabelKind = "exact" if dataset is not None and dataset.label == "exact" else "drawn"
        for image_id in worst_images(frames, test)[:WORST]:
            patches = frames.at_hand.patches(keys[image_id]) if image_id in keys else None
            if patches is None or not len(patches.rows):
                continue
            size = patches.images.shape[1]
            height, width = (edge / size for edge in patches.shape)
            image = frames.at_hand.image(frames.plan.images[image_id], label)
            jpeg = mosaic(patches) if image is None else draw(image.pixels, image.label)
            found.append(Micrograph(test, image_id, height, width, jpeg))
    return found


def worst_images(frames: StudyFrames, test: str) -> list[str]:
    """The images of a test set, from that of the lowest mean dice on."""
    scores: dict[str, list[float]] = {}
    for row in frames.images.rows:
        dice = row.metrics.get(DICE)
        if (row.test, row.split) == (test, "test") and dice is not None:
            scores.setdefault(row.image_id, []).append(dice)
    return sorted(scores, key=lambda image: (float(np.mean(scores[image])), image))


def draw(pixels: npt.NDArray[np.float32], label: npt.NDArray[np.bool_] | None) -> bytes:
    """A JPEG of an image (H, W), smaller, with its label as outline."""
    factor = max(1, round(max(pixels.shape) / SHOWN_PX))
    if factor > 1:
        pixels = _binned(pixels, factor)
        label = None if label is None else _binned(label.astype(np.float32), factor) > HALF
    return _jpeg(shades(pixels), label)


def mosaic(patches: Patches) -> bytes:
    """A JPEG of the patches in their places: of an image that is not here, what was tested."""
    size = patches.images.shape[1]
    gray = np.full(patches.shape, BLANK, np.uint8)
    label = np.zeros(patches.shape, bool)
    shade = shades(np.asarray(patches.images))
    places = zip(patches.rows, patches.cols, shade, patches.labels, strict=True)
    for row, col, pixels, its in places:
        place = np.s_[row * size : (row + 1) * size, col * size : (col + 1) * size]
        gray[place], label[place] = pixels, its != 0
    return _jpeg(gray, label)


def _binned(plane: npt.NDArray[np.float32], factor: int) -> npt.NDArray[np.float32]:
    height, width = (edge // factor for edge in plane.shape)
    cut = plane[: height * factor, : width * factor]
    return np.asarray(cut.reshape(height, factor, width, factor).mean(axis=(1, 3)), np.float32)


def _jpeg(gray: npt.NDArray[np.uint8], label: npt.NDArray[np.bool_] | None) -> bytes:
    colour = np.repeat(gray[..., None], 3, axis=2)
    if label is not None:
        width = max(1, round(max(gray.shape) / SHOWN_PX))
        colour[_outline(label, width)] = OUTLINE
    picture = Image.fromarray(colour)
    picture.thumbnail((SHOWN_PX, SHOWN_PX), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _outline(label: npt.NDArray[np.bool_], width: int) -> npt.NDArray[np.bool_]:
    inside = binary_erosion(label, border_value=1)
    return np.asarray(binary_dilation(label & ~inside, iterations=width) & label)


def _keys(frames: StudyFrames, test: str) -> dict[str, Key]:
    """The prepare keys of the images of a test set, as the first test that has them prepared it."""
    plan = frames.plan
    dataset = plan.datasets.get(test)
    for cell in _tests(frames, test):
        name = plan.evaluations.get(cell, {}).get("images")
        keys: Sequence[Key] = plan.lists.get(str(name), ())
        if dataset is not None and len(keys) == len(dataset.images):
            return dict(zip(dataset.images, keys, strict=True))
    return {}


def _tests(frames: StudyFrames, test: str) -> Iterator[str]:
    for cell in frames.plan.cells:
        if (cell.test, cell.split) == (test, "test"):
            yield cell.evaluation
