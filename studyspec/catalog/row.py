"""One image of the catalog as a typed, frozen value. Knows no file format and no database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

from studyspec.catalog.columns import BY_NAME
from studyspec.plugins.values import Value

Cell = str | int | float | bool | None
"""A catalog value as JSON: dates are ISO text."""


@dataclass(frozen=True)
class ImageRow:
    """One micrograph. Names carry the unit; None is unknown; `further` holds the user's columns."""

    image_id: str
    collection: str
    image_uri: str
    label_uri: str | None = None
    image_sha256: str | None = None
    label_sha256: str | None = None
    exact_label_uri: str | None = None
    width_px: int | None = None
    height_px: int | None = None
    material: str | None = None
    diameter_nm: float | None = None
    shape: str | None = None
    structure: str | None = None
    support: str | None = None
    microscope: str | None = None
    camera: str | None = None
    voltage_kv: float | None = None
    magnification_kx: float | None = None
    pixel_scale_nm: float | None = None
    dose_e_per_A2: float | None = None
    dose_rate_e_per_A2_s: float | None = None
    exposure_s: float | None = None
    defocus_nm: float | None = None
    spherical_aberration_mm: float | None = None
    focal_spread_nm: float | None = None
    convergence_mrad: float | None = None
    aperture_mrad: float | None = None
    tilt_mrad: float | None = None
    film_thickness_nm: float | None = None
    temperature_K: float | None = None
    acquired_on: date | None = None
    session: str | None = None
    licence: str | None = None
    citation: str | None = None
    further: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))

    def values(self) -> dict[str, Value]:
        """All columns by name, the user's own after the typed ones."""
        own = {k: v for k, v in vars(self).items() if k != "further"}
        return own | dict(self.further)

    def __reduce__(self) -> tuple[Callable[[Mapping[str, object]], ImageRow], tuple[object]]:
        """To another process: a mapping proxy cannot go there."""
        return ImageRow.from_json, (self.values(),)

    def to_json(self) -> dict[str, Cell]:
        """All columns as JSON values (dates as ISO text)."""
        return {k: v.isoformat() if isinstance(v, date) else v for k, v in self.values().items()}

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> ImageRow:
        """The row of its values by column; dates may be ISO text, as `to_json` writes them."""
        cells: dict[str, Any] = dict(values)  # what they are follows from the catalog's columns
        if isinstance(cells.get("acquired_on"), str):
            cells["acquired_on"] = date.fromisoformat(cells["acquired_on"])
        typed = {k: v for k, v in cells.items() if k in BY_NAME}
        further = {k: v for k, v in cells.items() if k not in BY_NAME}
        return cls(**typed, further=MappingProxyType(further))
