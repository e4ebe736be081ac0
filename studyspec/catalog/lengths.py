"""Lengths: the units in which headers of image files give the edge of a pixel."""

from __future__ import annotations

NM_PER_UNIT = {
    "m": 1e9, "cm": 1e7, "mm": 1e6, "um": 1e3, "µm": 1e3, "μm": 1e3, "micron": 1e3, "nm": 1.0,
    "a": 0.1, "å": 0.1, "ang": 0.1, "angstrom": 0.1, "pm": 1e-3,
}  # fmt: skip


def in_nm(length: float, unit: str) -> float | None:
    """A length [nm]; None if it is not positive, or its unit is none of length."""
    factor = NM_PER_UNIT.get(unit.strip().lower())
    return length * factor if factor is not None and length > 0 else None
