"""The gallery: best, median and worst predictions of every cell, as small pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from studyspec.report.frames import Row, StudyFrames
from studyspec.run.kept import KeptPatch

HIT, MISSED, FALSE = (42, 134, 200), (240, 228, 66), (213, 94, 0)
"""Colours that colour-blind readers tell apart (after Okabe and Ito)."""
COVER = 0.5
SHOWN_PX = 192
GAP_PX = 4
BARS_NM = (0.5, 1, 2, 5, 10, 20, 50)
QUALITY = 80


def gallery(frames: StudyFrames) -> list[dict[str, Any]]:
    """A row for each picture: variant, train, test, fold, which, dice, image_id, bar and data.

    Of each cell the first fold that kept any is shown.
    """
    shown: dict[tuple[str, str, str], Row] = {}
    for row in frames.folds.rows:
        if row["split"] == "test" and row["evaluation"] in frames.kept:
            shown.setdefault((row["variant"], row["train"], row["test"]), row)
    scales = _scales(frames.plan)
    rows = []
    for (variant, train, test), row in shown.items():
        for patch in frames.kept[row["evaluation"]]:
            scale = scales.get((variant, patch.image_id))
            picture, bar_nm = draw(patch, scale)
            rows.append(
                {
                    "variant": variant,
                    "train": train,
                    "test": test,
                    "fold": row["fold"],
                    "which": patch.which,
                    "dice": patch.dice,
                    "image_id": patch.image_id,
                    "bar": f"{bar_nm:g} nm" if bar_nm else "",
                    "data": "data:image/jpeg;base64," + base64.b64encode(picture).decode(),
                }
            )
    return rows


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


def _scales(plan: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    """Pixel scale of every image under every variant [nm], where it is known."""
    found = {}
    for variant, changes in plan["variants"].items():
        wanted = _resampled(plan["spec"], changes)
        for image_id, row in plan["images"].items():
            scale = wanted or row.get("pixel_scale_nm")
            if scale:
                found[variant, image_id] = float(scale)
    return found


def _resampled(spec: Mapping[str, Any], changes: Mapping[str, Any]) -> float | None:
    table = spec.get("preprocess", {}).get("resample", {})
    wanted = changes.get("preprocess.resample.pixel_scale_nm", table.get("pixel_scale_nm"))
    return None if wanted is None else float(wanted)


def too_large(rows: Sequence[Mapping[str, Any]], limit_bytes: int) -> bool:
    """Whether the pictures are more than a page should hold."""
    return sum(len(row["data"]) for row in rows) > limit_bytes
