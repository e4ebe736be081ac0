"""The gallery: best, median and worst predictions of every cell, as small pictures."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from pydantic import JsonValue

from studyspec.report.frames import FoldRow, StudyFrames
from studyspec.stats.scores import CellName

if TYPE_CHECKING:
    from studyspec.jobs.kept import KeptPatch
    from studyspec.plan.record import PlanRecord

HIT, MISSED, FALSE = (42, 134, 200), (240, 228, 66), (213, 94, 0)
"""Colours that colour-blind readers tell apart (after Okabe and Ito)."""
COVER = 0.5
SHOWN_PX = 192
GAP_PX = 4
BARS_NM = (0.5, 1, 2, 5, 10, 20, 50)
QUALITY = 80
RESAMPLED = "preprocess.resample.pixel_scale_nm"


@dataclass(frozen=True)
class Picture:
    """A patch with what a network made of it, as a JPEG, and how long its bar is; of one cell."""

    variant: str
    train: str
    test: str
    fold: int | None
    which: str
    dice: float
    image_id: str
    row: int
    col: int
    bar: str
    jpeg: bytes


def gallery(frames: StudyFrames) -> list[Picture]:
    """The pictures of every cell: of the first fold that kept any."""
    shown: dict[CellName, FoldRow] = {}
    for row in frames.folds.rows:
        if row.split == "test" and row.evaluation in frames.kept:
            shown.setdefault(row.name, row)
    scales = _scales(frames.plan)
    return [
        _picture(row, patch, scales.get((row.variant, patch.image_id)))
        for row in shown.values()
        for patch in frames.kept[row.evaluation]
    ]


def _picture(row: FoldRow, patch: KeptPatch, scale_nm: float | None) -> Picture:
    jpeg, bar_nm = draw(patch, scale_nm)
    return Picture(
        row.variant,
        row.train,
        row.test,
        row.fold,
        patch.which,
        patch.dice,
        patch.image_id,
        patch.row,
        patch.col,
        f"{bar_nm:g} nm" if bar_nm else "",
        jpeg,
    )


def draw(patch: KeptPatch, scale_nm: float | None) -> tuple[bytes, float | None]:
    """A JPEG of the patch, and beside it with hits, misses and false positives; its scale bar [nm].

    Parameters
    ----------
    patch
        With label and prediction.
    scale_nm
        Edge of a pixel [nm]; None: no bar.
    """
    gray = np.repeat(patch.pixels[..., None], 3, axis=2)
    colour = gray.astype(np.float64)
    for mask, ink in (
        (patch.label & patch.predicted, HIT),
        (patch.label & ~patch.predicted, MISSED),
        (~patch.label & patch.predicted, FALSE),
    ):
        colour[mask] = (1 - COVER) * colour[mask] + COVER * np.array(ink)
    both = Image.new("RGB", (2 * SHOWN_PX + GAP_PX, SHOWN_PX), "white")
    for number, plane in enumerate((gray, colour.astype(np.uint8))):
        both.paste(_resized(plane), (number * (SHOWN_PX + GAP_PX), 0))
    bar_nm = None if scale_nm is None else _bar(both, scale_nm * len(gray) / SHOWN_PX)
    out = io.BytesIO()
    both.save(out, "JPEG", quality=QUALITY)
    return out.getvalue(), bar_nm


def _resized(plane: npt.NDArray[np.uint8]) -> Image.Image:
    size = (SHOWN_PX, SHOWN_PX)
    return Image.fromarray(plane).resize(size, Image.Resampling.LANCZOS)


def _bar(picture: Image.Image, nm_per_px: float) -> float:
    """Draw a bar of about a quarter of the patch; its length [nm]."""
    wanted = SHOWN_PX / 4 * nm_per_px
    length = min(BARS_NM, key=lambda nm: abs(np.log(nm / wanted)))
    px = min(round(length / nm_per_px), SHOWN_PX - 16)
    box = (8, SHOWN_PX - 14, 8 + px, SHOWN_PX - 9)
    ImageDraw.Draw(picture).rectangle(box, fill="white", outline="black")
    return length


def _scales(plan: PlanRecord) -> dict[tuple[str, str], float]:
    """Pixel scale of every image under every variant [nm], where it is known."""
    found = {}
    for variant, changes in plan.variants.items():
        wanted = _resampled(plan.spec, changes)
        for image_id, row in plan.images.items():
            scale = wanted or row.get("pixel_scale_nm")
            if isinstance(scale, int | float):
                found[variant, image_id] = float(scale)
    return found


def _resampled(spec: Mapping[str, JsonValue], changes: Mapping[str, JsonValue]) -> float | None:
    """The pixel scale that a variant resamples to [nm]."""
    wanted: JsonValue = dict(spec)
    for key in RESAMPLED.split("."):
        wanted = wanted.get(key) if isinstance(wanted, dict) else None
    wanted = changes.get(RESAMPLED, wanted)
    return float(wanted) if isinstance(wanted, int | float) else None


def too_large(pictures: Sequence[bytes], limit_bytes: int) -> bool:
    """Whether the pictures are more than a page should hold, as text."""
    return sum(len(jpeg) * 4 // 3 for jpeg in pictures) > limit_bytes
