"""How unlike two lenses transfer contrast: the phase by which they differ. Knows no image."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

VOLTAGE_KV = 300.0
"""Where no voltage is given [kV]."""
POINTS = 256


@dataclass(frozen=True)
class LensSetting:
    """Defocus [nm, overfocus positive], spherical aberration [mm], voltage [kV]; None: unknown."""

    defocus_nm: float | None = None
    spherical_aberration_mm: float | None = None
    voltage_kv: float | None = None


@dataclass(frozen=True)
class PhaseDifference:
    """Mean and standard deviation of the phase by which two settings differ [rad]."""

    mean: float
    spread: float


def wavelength_nm(voltage_kv: float) -> float:
    """The wavelength of an electron [nm], relativistic."""
    energy_keV, rest_keV = voltage_kv, 510.99895
    return 1.23984198 / math.sqrt(energy_keV * (energy_keV + 2 * rest_keV))


def phase_difference(
    first: LensSetting, second: LensSetting, resolution_nm: float
) -> PhaseDifference | None:
    """How two settings differ up to a resolution, over the plane of spatial frequencies.

    The phase of a lens is pi L f k^2 + pi/2 C L^3 k^4 (L wavelength, f defocus, C spherical
    aberration); the distance of contrast transfer functions after Rangel DaCosta and Scott
    (arXiv 2512.09067). A spherical aberration that is not known is taken to be the same.

    Returns
    -------
    PhaseDifference
        None if a defocus is not known.
    """
    if first.defocus_nm is None or second.defocus_nm is None:
        return None
    k = np.sqrt((np.arange(POINTS) + 0.5) / POINTS) / resolution_nm  # equal parts of the plane
    phases = [
        _phase(one, other.spherical_aberration_mm, k)
        for one, other in ((first, second), (second, first))
    ]
    difference = phases[0] - phases[1]
    return PhaseDifference(float(difference.mean()), float(difference.std()))


def _phase(
    setting: LensSetting,
    other_mm: float | None,
    k: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    wavelength = wavelength_nm(setting.voltage_kv or VOLTAGE_KV)
    own_mm = setting.spherical_aberration_mm
    both = own_mm is not None and other_mm is not None
    aberration_nm = (own_mm or 0.0) * 1e6 if both else 0.0
    focus = np.pi * wavelength * (setting.defocus_nm or 0.0) * k**2
    return np.asarray(focus + np.pi / 2 * aberration_nm * wavelength**3 * k**4)
