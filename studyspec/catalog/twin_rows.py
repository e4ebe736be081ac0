"""The rows of the twin: simulated images under every condition of the published ones."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from studyspec.catalog.columns import KNOBS
from studyspec.catalog.published import CAMERA
from studyspec.catalog.row import ImageRow

COLLECTION = "twin"
IMAGE, DRAWN, EXACT = "twin", "twin-drawn", "twin-exact"
"""Schemes of simulated images and of their labels."""
IMAGES_PER_CONDITION = 40
CONDITION = (
    "material",
    "diameter_nm",
    "support",
    "pixel_scale_nm",
    "dose_e_per_A2",
    "session",
)
"""Columns that tell one condition from another."""
SETTABLE = (*(column.name for column in KNOBS), "camera")
"""Further ones, that tell conditions apart where they are known."""
TRANSFER = ((-25.0, 150.0), (0.0, 150.0), (25.0, 150.0), (0.0, 30.0), (0.0, 600.0))
"""Defocus [nm] and dose [e/Å^2] of images for transfer between lens settings, of which the published
ones have none: an extract of those of doi 10.69761/kjte5358."""
TRANSFER_MATERIAL = "CdSe"
DIAMETERS_ACROSS = 3
"""A field is at least this many particle diameters wide."""
STEP_PX, LEAST_PX, MOST_PX = 256, 512, 4096


def twin_rows(published: Sequence[ImageRow]) -> Iterator[ImageRow]:
    """Simulated images for each condition of the published ones, with its metadata; and some more.

    What the published images do not have is a series of focus and dose.
    """
    templates: dict[tuple[object, ...], ImageRow] = {}
    for row in published:
        condition = tuple(getattr(row, name) for name in (*CONDITION, *SETTABLE))
        templates.setdefault(condition, replace(row, width_px=None, height_px=None))
    one = next(row for row in templates.values() if row.material == TRANSFER_MATERIAL)
    series = [replace(one, defocus_nm=nm, dose_e_per_A2=dose) for nm, dose in TRANSFER]
    for template in (*templates.values(), *series):
        yield from images_like(template, range(IMAGES_PER_CONDITION))


def images_like(template: ImageRow, numbers: range) -> Iterator[ImageRow]:
    """Numbered images like a template; a row's seed is made from its name.

    Where the template has no size, three of its particles fit across an image.
    """
    size = template.width_px or _field_px(template)
    for number in numbers:
        image_id = f"{COLLECTION}/{_title(template)}/{number:02d}"
        seed = zlib.crc32(image_id.encode())
        yield replace(
            template,
            image_id=image_id,
            collection=COLLECTION,
            image_uri=f"{IMAGE}:{seed}",
            label_uri=f"{DRAWN}:{seed}",
            exact_label_uri=f"{EXACT}:{seed}",
            width_px=size,
            height_px=size,
            licence="MIT",
            citation="simulated by studyspec",
        )


def _title(row: ImageRow) -> str:
    numbers = f"{row.diameter_nm:g}nm-{row.pixel_scale_nm:g}nm-{row.dose_e_per_A2:g}e"
    known = [(name, getattr(row, name)) for name in SETTABLE]
    knobs = "".join(
        f"-{name}={value:g}" if isinstance(value, float) else f"-{value}"
        for name, value in known
        if value not in (None, CAMERA)
    )
    return f"{row.material}-{numbers}-{row.support}-{row.session}{knobs}".replace(" ", "-")


def _field_px(row: ImageRow) -> int:
    """Edge of a field that shows whole particles [px]."""
    assert row.diameter_nm is not None
    assert row.pixel_scale_nm is not None
    steps = math.ceil(DIAMETERS_ACROSS * row.diameter_nm / row.pixel_scale_nm / STEP_PX)
    return min(max(steps * STEP_PX, LEAST_PX), MOST_PX)
