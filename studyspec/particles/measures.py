"""Measures: what is told of each particle, with its unit and meaning. Knows arrays alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from studyspec.particles.objects import Mask, Objects, at_border

Image = npt.NDArray[np.float32]
Box = tuple[slice, slice]
SHARE_AROUND = 0.25
"""The agreement of networks is looked at in the box of a particle, grown by this share of it."""


def _told(unit: str, meaning: str) -> Any:  # what `field` gives is of the type of the field
    return field(metadata={"unit": unit, "meaning": meaning})


@dataclass(frozen=True)
class Particle:
    """A row of the table of particles; what is in nm is None where no pixel scale is known."""

    image: str = _told("", "Name of the image file.")
    particle: int = _told("", "Number of the particle in its image, as the overlay shows it.")
    center_row_px: float = _told("px", "Centroid, rows counted from 0 at the top.")
    center_col_px: float = _told("px", "Centroid, columns counted from 0 at the left.")
    area_px: int = _told("px", "Number of pixels.")
    center_x_nm: float | None = _told("nm", "Centroid, from the left edge of the image.")
    center_y_nm: float | None = _told("nm", "Centroid, from the top edge of the image.")
    area_nm2: float | None = _told("nm²", "Projected area.")
    equivalent_diameter_nm: float | None = _told("nm", "Diameter of the circle of its area.")
    feret_diameter_nm: float | None = _told("nm", "Largest distance between parallel tangents.")
    circularity: float = _told("", "4 π area / perimeter², the perimeter by Crofton; a disc has 1.")
    touches_border: bool = _told("", "Whether it touches the border of the image.")
    was_split: bool = _told("", "Whether it was split from a particle that it touched.")
    mean_probability: float = _told("", "Mean over its pixels of what the networks give.")
    agreement: float | None = _told(
        "", "Mean dice of each two networks in its surroundings; none for one network."
    )


@dataclass(frozen=True)
class Column:
    """A column of the table: its name, its type, its unit, what it means."""

    name: str
    kind: type
    unit: str
    meaning: str


KINDS = {"str": str, "int": int, "bool": bool, "float": float, "float | None": float}
COLUMNS: tuple[Column, ...] = tuple(
    Column(one.name, KINDS[str(one.type)], one.metadata["unit"], one.metadata["meaning"])
    for one in fields(Particle)
)


@dataclass(frozen=True)
class View:
    """What networks see in an image.

    Attributes
    ----------
    name
        Of the image.
    probability
        (H, W), the mean of the networks'.
    masks
        What each network takes for particle, (H, W).
    pixel_scale_nm
        Edge of a pixel [nm], if it is known.
    """

    name: str
    probability: Image
    masks: tuple[Mask, ...] = ()
    pixel_scale_nm: float | None = None


def measure(objects: Objects, view: View) -> tuple[Particle, ...]:
    """The rows of the particles of an image, by scikit-image's regionprops."""
    from skimage.measure import regionprops

    border = at_border(objects.labels)
    rows = []
    for region in regionprops(objects.labels, intensity_image=view.probability):
        at = int(region.label) - 1
        row, col = (float(place) for place in region.centroid)
        perimeter = float(region.perimeter_crofton)
        area = int(region.area)
        scale = view.pixel_scale_nm
        feret = None if scale is None else float(region.feret_diameter_max) * scale
        rows.append(
            Particle(
                image=view.name,
                particle=at + 1,
                center_row_px=row,
                center_col_px=col,
                area_px=area,
                center_x_nm=None if scale is None else (col + 0.5) * scale,
                center_y_nm=None if scale is None else (row + 0.5) * scale,
                area_nm2=None if scale is None else area * scale**2,
                equivalent_diameter_nm=None if scale is None else _diameter(area) * scale,
                feret_diameter_nm=feret,
                circularity=min(1.0, 4 * math.pi * area / perimeter**2) if perimeter else 1.0,
                touches_border=bool(border[at]),
                was_split=bool(objects.split[at]),
                mean_probability=float(region.intensity_mean),
                agreement=_agreement(objects, at + 1, _around(region.slice), view.masks),
            )
        )
    return tuple(rows)


def dice(masks: Sequence[Mask]) -> float | None:
    """The mean dice of each two masks, which is 1 where both are empty; None for one mask."""
    pairs = [(int((a & b).sum()), int(a.sum() + b.sum())) for a, b in combinations(masks, 2)]
    return float(np.mean([(2 * tp + 1) / (total + 1) for tp, total in pairs])) if pairs else None


def _agreement(objects: Objects, number: int, around: Box, masks: Sequence[Mask]) -> float | None:
    """How far networks agree near a particle, without the pixels of others."""
    labels = objects.labels[around]
    there = (labels == number) | (labels == 0)
    return dice([mask[around] & there for mask in masks])


def _around(box: Box) -> Box:
    grown = []
    for side in box:
        more = max(1, round(SHARE_AROUND * (side.stop - side.start)))
        grown.append(slice(max(0, side.start - more), side.stop + more))
    return grown[0], grown[1]


def _diameter(area: float) -> float:
    return math.sqrt(4 * area / math.pi)
