"""One image of the catalog as a typed, frozen value. Knows no file format and no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

Value = str | int | float | bool | date | None


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
    support: str | None = None
    microscope: str | None = None
    camera: str | None = None
    voltage_kv: float | None = None
    magnification_kx: float | None = None
    pixel_scale_nm: float | None = None
    dose_e_per_A2: float | None = None
    dose_rate_e_per_A2_s: float | None = None
    exposure_s: float | None = None
    acquired_on: date | None = None
    session: str | None = None
    licence: str | None = None
    citation: str | None = None
    further: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))

    def values(self) -> dict[str, Value]:
        """All columns by name, the user's own after the typed ones."""
        own = {k: v for k, v in vars(self).items() if k != "further"}
        return own | dict(self.further)

    def __reduce__(self) -> tuple[Any, ...]:
        """To another process: a mapping proxy cannot go there."""
        return ImageRow.from_json, (self.values(),)

    def to_json(self) -> dict[str, Any]:
        """All columns as JSON values (dates as ISO text)."""
        return {k: v.isoformat() if isinstance(v, date) else v for k, v in self.values().items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ImageRow:
        """The row that `to_json` wrote."""
        typed = {k: v for k, v in values.items() if k in cls.__dataclass_fields__}
        if isinstance(typed.get("acquired_on"), str):
            typed["acquired_on"] = date.fromisoformat(typed["acquired_on"])
        further = {k: v for k, v in values.items() if k not in cls.__dataclass_fields__}
        return cls(**typed, further=MappingProxyType(further))
