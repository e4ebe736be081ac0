"""Evidence: what networks make of image files, as far as it can be told without a label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from studyspec.catalog.readers import read_image
from studyspec.errors import FileError
from studyspec.images.pipeline import preprocess
from studyspec.images.steps.resample import to_shape
from studyspec.jobs.kept import shades
from studyspec.learn.conditions import resampled_nm
from studyspec.plugins.values import Image, Mask, RawImage, WorkingImage
from studyspec.trust.conditions import Conditions, differences
from studyspec.trust.figures import (
    AnswerFigures,
    agreement,
    answer_figures,
    consensus,
    image_figures,
)
from studyspec.trust.predictors import Evidence
from studyspec.trust.subjects import SCALE, Subject

WHOLE_PX = 2048**2
"""Images of more pixels are judged by parts."""
PARTS = 4
"""Parts along each edge of such an image, spread evenly."""
PART_PX = 512
SQUARES = 16
PREVIEW_PX = 256
UNKNOWN = Conditions()


@dataclass(frozen=True)
class Asked:
    """An image file, and how it was taken as far as the user says; the header adds its scale."""

    path: Path
    conditions: Conditions = UNKNOWN


@dataclass(frozen=True)
class Part:
    """A part of an image, in shares of its edges, from 0 to 1."""

    top: float
    bottom: float
    left: float
    right: float

    def of(self, image: Image) -> Image:
        """The part of an image of any resolution."""
        height, width = image.shape
        rows = slice(round(self.top * height), round(self.bottom * height))
        cols = slice(round(self.left * width), round(self.right * width))
        return np.ascontiguousarray(image[rows, cols])


@dataclass(frozen=True)
class Preview:
    """A small picture of an image, or of its middle part, with the answer.

    Attributes
    ----------
    pixels
        (H, W), uint8, black to white from the 0.5th to the 99.5th percentile.
    mask
        (H, W), bool.
    """

    pixels: npt.NDArray[np.uint8]
    mask: Mask

    @classmethod
    def of(cls, image: Image, probability: Image) -> Preview:
        """A picture of an image (H, W) and its answer, thinned to at most `PREVIEW_PX`."""
        step = max(1, -(-max(image.shape) // PREVIEW_PX))
        return cls(shades(image[::step, ::step]), probability[::step, ::step] > 0.5)


@dataclass(frozen=True)
class Found:
    """The evidence of one (network, image).

    Attributes
    ----------
    subject, image
        What it is of; the image with the conditions that are known.
    prepared
        These conditions at the pixel scale that the network was shown.
    evidence
        All predictors are made of it.
    answer
        Statistics of the answer alone.
    preview
        To look at.
    parts
        In how many parts it was judged, 1: whole.
    notes
        What a user should know.
    """

    subject: Subject
    image: Asked
    prepared: Conditions
    evidence: Evidence
    answer: AnswerFigures
    preview: Preview
    parts: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Said:
    subject: Subject
    evidence: Evidence
    prepared: Conditions
    on_grid: list[Image]
    notes: tuple[str, ...]


def evidence(subjects: Sequence[Subject], asked: Asked, device: str = "cpu") -> Iterator[Found]:
    """What each network that was asked about makes of one image.

    Raises
    ------
    FileError
        If the image cannot be read or prepared; if its pixel scale is needed and not known.
    """
    raw = read_image(asked.path)
    conditions = asked.conditions
    if conditions.pixel_scale_nm is None:
        conditions = replace(conditions, pixel_scale_nm=raw.pixel_scale_nm)
    image = replace(asked, conditions=conditions)
    parts = _parts(raw.pixels.shape)
    said = [_said(one, raw, image, parts, device) for one in subjects]
    for one in said:
        if not one.subject.asked:
            continue
        family = one.subject.family
        folds = [o.on_grid for o in said if o is not one and o.subject.family == family]
        others = [o.on_grid for o in said if o.subject.family != family and o.subject.asked]
        found = replace(
            one.evidence,
            folds=agreement(one.on_grid, folds),
            others=consensus(one.on_grid, others),
        )
        middle = len(parts) // 2
        preview = Preview.of(parts[middle].of(raw.pixels), one.on_grid[middle])
        yield Found(one.subject, image, one.prepared, found, found.answer, preview, len(parts),
                    one.notes)  # fmt: skip


def _said(
    subject: Subject, raw: RawImage, image: Asked, parts: Sequence[Part], device: str
) -> _Said:
    from studyspec.learn.answers import answer

    scale = image.conditions.pixel_scale_nm
    height, width = raw.pixels.shape
    pipeline = subject.file.prepared_at((height, width), scale, str(image.path))
    working = WorkingImage(raw.pixels.copy(), pixel_scale_nm=scale, columns={SCALE: scale})
    try:
        done = preprocess(working, pipeline)
    except FileError as error:
        raise FileError(error.what, where=error.where or str(image.path), hint=error.hint) from None
    pieces = [part.of(done.pixels) for part in parts]
    found = answer(subject.network, pieces, subject.tile_px, device, subject.multiple_px)
    figures = answer_figures(found.plain, found.turned)
    strange = None
    if subject.reference is not None:
        squares = _squares(pieces, pipeline.patch.size)
        strange = subject.reference.strangeness(image_figures(squares))
    prepared = replace(image.conditions, pixel_scale_nm=done.pixel_scale_nm)
    known = Evidence(differences(subject.trained, prepared), strange, found.shift, figures)
    grid = [part.of(raw.pixels).shape for part in parts]
    on_grid = [to_shape(p, shape) if p.shape != shape else p
               for p, shape in zip(found.plain, grid, strict=True)]  # fmt: skip
    resampled = resampled_nm(pipeline) is not None
    notes = () if resampled else ("its training scale is not known: the image is not resampled",)
    return _Said(subject, known, prepared, on_grid, notes)


def _parts(shape: tuple[int, ...]) -> list[Part]:
    """All of a small image; of a large one 16 parts, evenly spread."""
    height, width = shape
    if height * width <= WHOLE_PX:
        return [Part(0.0, 1.0, 0.0, 1.0)]

    def along(edge: int) -> list[tuple[float, float]]:
        share = min(1.0, PART_PX / edge)
        return [(start, start + share) for start in np.linspace(0, 1 - share, PARTS)]

    return [Part(*rows, *cols) for rows in along(height) for cols in along(width)]


def _squares(pieces: Sequence[Image], edge: int) -> list[Image]:
    """Squares of the pieces, like the patches that a network was trained on; some of them."""
    found = []
    for piece in pieces:
        size = min(edge, *piece.shape)
        for row in range(0, piece.shape[0] - size + 1, size):
            for col in range(0, piece.shape[1] - size + 1, size):
                found.append(piece[row : row + size, col : col + size])
    step = max(1, len(found) // SQUARES)
    return found[::step][:SQUARES]
