"""Cameras by name: what becomes of an electron in each. The one list of those that are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from studyspec.catalog.published import CAMERA


@dataclass(frozen=True)
class Camera:
    """Gatan OneView: scintillator, fibre plate and CMOS sensor."""

    mtf_half: float = 0.24  # of Nyquist, where the transfer is one half; fitted: first layers
    excess_noise: float = 0.35  # relative sd of an electron's signal; literature: scintillators
    quanta: float = 165.0  # light quanta per electron, of white noise; fitted: first layers
    read_noise: float = 1.0  # [counts]; fitted: roughness at 80 e/Å^2
    fixed_pattern: float = 0.01  # relative sd of the pixels' gains, of a session; a guess
    xrays_per_electron: float = (
        8e-10  # hits for each electron; fitted: 3 bright pixels in 14 images
    )
    xray_least: float = 60.0  # signal of a hit, in signals of an electron: at least; a guess
    xray_mean: float = 200.0  # and above that, on average; a guess
    xray_spill: float = 0.4  # part that spills into a neighbour, and how often; a guess


ONEVIEW = Camera()
CAMERAS: Mapping[str, Camera] = {
    CAMERA: ONEVIEW,
    # Counting direct detector: sharp, every electron alike, no reading noise (Gatan; plausible).
    "Gatan K3": Camera(
        mtf_half=0.75, excess_noise=0.1, quanta=1e9, read_noise=0.0, fixed_pattern=0.003,
        xrays_per_electron=0.0,
    ),
    # Slow-scan CCD behind a thick scintillator: softer and louder than CMOS (plausible).
    "CCD": Camera(
        mtf_half=0.18, excess_noise=0.4, quanta=100.0, read_noise=4.0, fixed_pattern=0.01,
        xrays_per_electron=4e-9,
    ),
    "ideal": Camera(
        mtf_half=1e6, excess_noise=0.0, quanta=1e9, read_noise=0.0, fixed_pattern=0.0,
        xrays_per_electron=0.0,
    ),
}  # fmt: skip
"""What the column `camera` of a catalog row may name: transfer, noise, pattern and x-rays."""
