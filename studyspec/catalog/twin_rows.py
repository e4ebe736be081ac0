"""The rows of the twin: simulated images under every condition of the published ones."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from studyspec.catalog.columns import KNOBS
from studyspec.catalog.distributions import Distribution
from studyspec.catalog.published import CAMERA
from studyspec.catalog.row import ImageRow
from studyspec.plugins.values import Value
from studyspec.spec.identity import digest

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
"""Defocus [nm] and dose [e/Å^2] of images for transfer between lens settings; the published ones
have no such series. An extract of those of doi 10.69761/kjte5358."""
TRANSFER_MATERIAL = "CdSe"
NOMINAL = ("sphere", "oblong")
"""What published rows call the shape of particles that the twin draws: nearly round ones."""
FURTHER = ("shape", "structure", *SETTABLE)
"""All that may tell conditions apart besides those that every row has."""
Drawn = Mapping[str, Distribution]
"""Columns that are drawn for each image, and from what."""
NOT_DRAWN: Drawn = MappingProxyType({})
DRAWABLE = ("dose_e_per_A2", "voltage_kv", *(column.name for column in KNOBS))
"""Columns that can be: all numbers that the size of an image does not follow from."""
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


def images_like(template: ImageRow, numbers: range, drawn: Drawn = NOT_DRAWN) -> Iterator[ImageRow]:
    """Numbered images like a template; a row's seed is made from its name.

    Where the template has no size, three of its particles fit across an image. What is `drawn`
    gets a number for each image, from its seed.
    """
    size = template.width_px or _field_px(template)
    for number in numbers:
        image_id = f"{COLLECTION}/{_title(template, drawn)}/{number:02d}"
        seed = zlib.crc32(image_id.encode())
        values: dict[str, Any] = {name: one.draw(seed, name) for name, one in drawn.items()}
        row = replace(template, **values)
        yield replace(
            row,
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


def told(row: ImageRow, name: str) -> Value:
    """A value of one of the `FURTHER` columns; None where the row has what is taken for granted.

    Of a structure, the beginning of its hash.
    """
    if name == "structure" and row.structure is not None:
        return digest(row.structure)[:8]
    value: Value = getattr(row, name)
    return None if value in (CAMERA, *NOMINAL) else value


def _title(row: ImageRow, drawn: Drawn) -> str:
    def text(name: str, value: Value) -> str:
        return str(drawn[name]) if name in drawn else f"{value:g}"

    dose = text("dose_e_per_A2", row.dose_e_per_A2)
    known = [(name, told(row, name)) for name in FURTHER]
    knobs = "".join(
        f"-{name}={text(name, value)}" if isinstance(value, float) or name in drawn else f"-{value}"
        for name, value in known
        if value is not None or name in drawn
    )
    numbers = f"{row.diameter_nm:g}nm-{row.pixel_scale_nm:g}nm-{dose}e"
    return f"{row.material}-{numbers}-{row.support}-{row.session}{knobs}".replace(" ", "-")


def _field_px(row: ImageRow) -> int:
    """Edge of a field that shows whole particles [px]."""
    assert row.diameter_nm is not None
    assert row.pixel_scale_nm is not None
    steps = math.ceil(DIAMETERS_ACROSS * row.diameter_nm / row.pixel_scale_nm / STEP_PX)
    return min(max(steps * STEP_PX, LEAST_PX), MOST_PX)
