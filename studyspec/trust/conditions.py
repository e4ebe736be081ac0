"""Conditions: how an image was taken, and how that differs from what a network was trained on."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from studyspec.trust.optics import LensSetting, PhaseDifference, phase_difference

NUMBERS = ("pixel_scale_nm", "dose_e_per_A2", "diameter_nm")
"""Conditions that are compared by their ratio."""


@dataclass(frozen=True)
class Conditions:
    """How an image was taken; None is unknown. The pixel scale is that of the prepared image."""

    material: str | None = None
    pixel_scale_nm: float | None = None
    dose_e_per_A2: float | None = None
    diameter_nm: float | None = None
    session: str | None = None
    defocus_nm: float | None = None
    spherical_aberration_mm: float | None = None
    voltage_kv: float | None = None

    @classmethod
    def of(cls, values: Mapping[str, object], pixel_scale_nm: float | None = None) -> Conditions:
        """Those of a catalog row, prepared at a pixel scale if one is given."""
        told = {one.name: _cell(values.get(one.name)) for one in fields(cls)}
        if pixel_scale_nm is not None:
            told["pixel_scale_nm"] = pixel_scale_nm
        return cls(**told)  # type: ignore[arg-type]

    @property
    def lens(self) -> LensSetting:
        """What of them sets the transfer of contrast."""
        return LensSetting(self.defocus_nm, self.spherical_aberration_mm, self.voltage_kv)

    @property
    def text(self) -> str:
        """In words, without what is not known."""
        parts = [
            self.material,
            _unit(self.diameter_nm, "nm"),
            _unit(self.pixel_scale_nm, "nm/px"),
            _unit(self.dose_e_per_A2, "e/Å²"),
            _unit(self.defocus_nm, "nm defocus"),
            self.session,
        ]
        return ", ".join(part for part in parts if part)

    def written(self) -> dict[str, str | float]:
        """What is known, as JSON."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Differences:
    """How an image differs from the nearest of a network's training conditions; None: unknown.

    Logarithms are natural, of the image's value over that of the training set.
    """

    log_pixel_scale: float | None = None
    log_dose: float | None = None
    log_diameter: float | None = None
    same_material: bool | None = None
    same_session: bool | None = None
    phase: PhaseDifference | None = None


def differences(trained: Sequence[Conditions], image: Conditions) -> Differences:
    """How an image differs from training conditions, column by column from the nearest."""
    scale, dose, diameter = (
        _nearest_ratio([getattr(one, name) for one in trained], getattr(image, name))
        for name in NUMBERS
    )
    return Differences(
        scale,
        dose,
        diameter,
        _same([one.material for one in trained], image.material),
        _same([one.session for one in trained], image.session),
        _nearest_phase(trained, image),
    )


def distance(one: Conditions, other: Conditions) -> float:
    """How far two conditions lie apart: a unit is a factor e, or another material or session."""
    total = 0.0
    for name in NUMBERS:
        ratio = _ratio(getattr(one, name), getattr(other, name))
        total += 0.0 if ratio is None else ratio**2
    for name, weight in (("material", 1.0), ("session", 0.05)):
        a, b = getattr(one, name), getattr(other, name)
        total += weight if a is not None and b is not None and a != b else 0.0
    phase = _phase(one, other)
    total += 0.0 if phase is None else (phase.spread / math.pi) ** 2
    return math.sqrt(total)


def _nearest_ratio(trained: Iterable[float | None], image: float | None) -> float | None:
    ratios = [ratio for one in trained if (ratio := _ratio(one, image)) is not None]
    return min(ratios, key=abs, default=None)


def _ratio(trained: float | None, image: float | None) -> float | None:
    if not trained or not image or trained <= 0 or image <= 0:
        return None
    return math.log(image / trained)


def _same(trained: Iterable[str | None], image: str | None) -> bool | None:
    known = {one for one in trained if one is not None}
    return image in known if known and image is not None else None


def _nearest_phase(trained: Sequence[Conditions], image: Conditions) -> PhaseDifference | None:
    found = [phase for one in trained if (phase := _phase(one, image)) is not None]
    return min(found, key=lambda phase: phase.spread, default=None)


def _phase(one: Conditions, other: Conditions) -> PhaseDifference | None:
    scales = [scale for scale in (one.pixel_scale_nm, other.pixel_scale_nm) if scale]
    return phase_difference(one.lens, other.lens, 2 * max(scales, default=0.05))


def _unit(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:g} {unit}"


def _cell(value: object) -> str | float | None:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return (
        value
        if isinstance(value, str | float)
        else float(value)
        if isinstance(value, int)
        else None
    )
