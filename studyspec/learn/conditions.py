"""Conditions: what a network was trained on, as its file or its name says. Imports no torch."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Self

from studyspec.catalog.row import ImageRow
from studyspec.images.steps.resample import RESAMPLE
from studyspec.spec.uses import Pipeline, Written

MOST = 16
"""Of more values of one quantity, so many are kept, evenly from the least to the greatest."""
DIGITS = 4
RELEASED_SCALE_NM: Mapping[str, float] = MappingProxyType(
    {"330": 0.02, "260": 0.026, "205": 0.033, "160": 0.042}
)
"""Edge of a pixel [nm] by the magnification [kX] in the name of a released network."""
RELEASED = re.compile(
    r"UNet_(?P<diameter>[0-9p]+)nm(?P<material>[A-Z][A-Za-z]*?)(?P<kx>[0-9]{3})kX"
    r"(?P<dose>[0-9]+)e(?:.*?_fold(?P<fold>[0-9]+))?"
)
"""The name of a network as Sytwu et al. released it."""


class Conditions(Written):
    """The images that a network was trained on; what is not known is empty.

    Attributes
    ----------
    pixel_scale_nm
        Edges of a pixel as the network saw them, resampled or not [nm].
    dose_e_per_A2, diameter_nm
        Doses [e/Å^2] and nominal diameters of the particles [nm].
    material
        Their materials.
    """

    pixel_scale_nm: tuple[float, ...] = ()
    dose_e_per_A2: tuple[float, ...] = ()
    diameter_nm: tuple[float, ...] = ()
    material: tuple[str, ...] = ()

    @classmethod
    def of(cls, rows: Iterable[ImageRow], pipeline: Pipeline) -> Self:
        """Of a training set that was prepared like this."""
        seen = list(rows)
        scale = resampled_nm(pipeline)
        scales = _numbers(row.pixel_scale_nm for row in seen) if scale is None else (scale,)
        return cls(
            pixel_scale_nm=scales,
            dose_e_per_A2=_numbers(row.dose_e_per_A2 for row in seen),
            diameter_nm=_numbers(row.diameter_nm for row in seen),
            material=tuple(sorted({row.material for row in seen if row.material})),
        )

    def scale_near(self, pixel_scale_nm: float) -> float | None:
        """The scale of training that is nearest to one, by their ratio [nm]; None: not known."""
        return min(
            self.pixel_scale_nm,
            key=lambda known: abs(math.log(known / pixel_scale_nm)),
            default=None,
        )

    @property
    def words(self) -> str:
        """What is known, for people; empty for nothing."""
        told = [
            "+".join(self.material),
            _range(self.diameter_nm, "nm"),
            _range(self.pixel_scale_nm, "nm/px"),
            _range(self.dose_e_per_A2, "e/Å²"),
        ]
        return ", ".join(one for one in told if one)


def resampled_nm(pipeline: Pipeline) -> float | None:
    """The pixel scale that a pipeline brings every image to [nm]; None: none."""
    for use in pipeline.steps:
        scale = use.settings.get("pixel_scale_nm") if use.name == RESAMPLE.name else None
        if isinstance(scale, int | float):
            return float(scale)
    return None


def released_conditions(stem: str) -> Conditions:
    """The conditions in the name of a released network; nothing, if it is no such name."""
    match = RELEASED.match(stem)
    if match is None or match["kx"] not in RELEASED_SCALE_NM:
        return Conditions()
    return Conditions(
        pixel_scale_nm=(RELEASED_SCALE_NM[match["kx"]],),
        dose_e_per_A2=(float(match["dose"]),),
        diameter_nm=(float(match["diameter"].replace("p", ".")),),
        material=(match["material"],),
    )


def _numbers(values: Iterable[float | None]) -> tuple[float, ...]:
    """The values that there are, each once and sorted; a few of them, if they are many."""
    found = sorted({float(f"{value:.{DIGITS}g}") for value in values if value is not None})
    if len(found) <= MOST:
        return tuple(found)
    last = len(found) - 1
    return tuple(found[round(last * i / (MOST - 1))] for i in range(MOST))


def _range(values: Sequence[float], unit: str) -> str:
    if not values:
        return ""
    low, high = values[0], values[-1]
    return f"{low:g} {unit}" if low == high else f"{low:g} to {high:g} {unit}"
