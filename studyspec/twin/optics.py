"""The lens: aberrations, aperture and partial coherence make an image of the wave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft as fft

from studyspec.twin.constants import Lens, Sessions
from studyspec.twin.sessions import Session
from studyspec.twin.wave import Beam, Complex, Grid, Real, waves_of


@dataclass(frozen=True)
class Focus:
    """How an image was taken: defocus (overfocus positive), direction of astigmatism, drift."""

    defocus_nm: float
    astigmatism_deg: float = 0.0
    drift_A: float = 0.0
    drift_deg: float = 0.0

    @classmethod
    def draw(cls, session: Session, rng: np.random.Generator, constants: Sessions) -> Focus:
        """The focus of one image of a session."""
        return cls(
            session.defocus_nm + rng.normal(0, constants.defocus_within_nm),
            rng.uniform(0, 180),
            rng.exponential(constants.drift_A),
            rng.uniform(0, 180),
        )


def intensity(wave: Complex, grid: Grid, beam: Beam, focus: Focus, lens: Lens) -> Real:
    """Intensity in the image plane, in units of the incident beam; (n, n).

    Temporal coherence is a sum over focus (Gauss-Hermite), spatial coherence the envelope of the
    aberrations' slope (Frank 1973), vibration a Gaussian.
    """
    spectrum = fft.fft2(wave)
    squares = grid.squares()
    fixed, envelope_of = _Aberrations(grid, beam, focus, lens).parts(squares)
    aperture = _aperture(grid, beam, lens)
    points, weights = np.polynomial.hermite_e.hermegauss(lens.focal_steps)
    weights = weights / weights.sum()
    image = np.zeros((grid.n, grid.n), np.float32)
    for point, weight in zip(points, weights, strict=True):
        defocus_A = 10 * (focus.defocus_nm + point * lens.focal_spread_nm)
        phase = fixed + np.float32(np.pi * beam.wavelength_A * defocus_A) * squares
        transfer = waves_of(-phase, envelope_of(defocus_A) * aperture)
        seen = fft.ifft2(spectrum * transfer, overwrite_x=True)
        image += np.float32(weight) * (seen.real**2 + seen.imag**2)
    damping = np.exp(-2 * (np.pi * lens.vibration_A) ** 2 * grid.half_squares())
    angle = np.deg2rad(focus.drift_deg)
    along = grid.k[:, None] * np.sin(angle) + grid.k_half[None] * np.cos(angle)
    damping = damping * np.sinc(along * focus.drift_A)
    return np.asarray(
        fft.irfft2(fft.rfft2(image) * damping.astype(np.float32), s=image.shape), np.float32
    )


@dataclass(frozen=True)
class _Aberrations:
    grid: Grid
    beam: Beam
    focus: Focus
    lens: Lens

    def parts(self, squares: Real) -> tuple[Real, _Envelope]:
        """Phase of spherical aberration and astigmatism [rad], and the coherence envelope."""
        wavelength = self.beam.wavelength_A
        cs_A = self.lens.cs_um * 1e4
        phase = np.pi / 2 * cs_A * wavelength**3 * (squares**2 + self._coma(squares))
        angle = np.arctan2(self.grid.k[:, None], self.grid.k[None])
        turned = np.cos(2 * (angle - np.deg2rad(self.focus.astigmatism_deg)))
        phase = phase + np.pi * wavelength * self.lens.astigmatism_nm * 10 * squares * turned
        k = np.sqrt(squares)
        slopes = (wavelength * k, cs_A * wavelength**3 * k * squares)
        by_defocus, spherical = (np.asarray(slope, np.float32) for slope in slopes)
        return phase.astype(np.float32), _Envelope(by_defocus, spherical, self._spread())

    def _coma(self, squares: Real) -> Real:
        """What a tilt t of the beam adds to k^4: (k + t)^4 less its shift and its constant."""
        tilt = np.float32(self.lens.tilt_mrad * 1e-3 / self.beam.wavelength_A)
        along = 2 * tilt * self.grid.k[:, None]
        return np.asarray(2 * squares * (along + tilt**2) + along**2)

    def _spread(self) -> float:
        return float(np.pi * self.lens.convergence_mrad * 1e-3 / self.beam.wavelength_A)


@dataclass(frozen=True)
class _Envelope:
    """Damping by the slope of the aberrations under a cone of illumination."""

    by_defocus: npt.NDArray[np.float32]
    spherical: npt.NDArray[np.float32]
    spread: float

    def __call__(self, defocus_A: float) -> Real:
        slope = self.spherical + np.float32(defocus_A) * self.by_defocus
        return np.asarray(np.exp(-((np.float32(self.spread) * slope) ** 2)))


def _aperture(grid: Grid, beam: Beam, lens: Lens) -> Real:
    """A round hole with a soft edge about the optical axis, from which the beam may be tilted."""
    tilt = np.float32(lens.tilt_mrad * 1e-3 / beam.wavelength_A)
    squares = (grid.k[:, None] + tilt) ** 2 + grid.k[None] ** 2
    angle_mrad = np.sqrt(squares) * np.float32(beam.wavelength_A * 1e3)
    edge = np.clip((angle_mrad - lens.aperture_mrad) / lens.aperture_edge_mrad, -50, 50)
    return np.asarray(1 / (1 + np.exp(edge)), np.float32)
