"""The electron wave: multislice through the specimen (Cowley and Moodie 1957; Kirkland 2010)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import scipy.fft as fft

from studyspec.twin.constants import ELECTRON_REST_EV, POTENTIAL_V_A2, Waves
from studyspec.twin.materials import Element, scattering_terms

Real = npt.NDArray[np.float32]
Complex = npt.NDArray[np.complex64]
Positions = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Beam:
    """Electrons of one energy [eV]."""

    energy_eV: float

    @property
    def wavelength_A(self) -> float:
        """Relativistic wavelength [Å]."""
        energy = self.energy_eV
        return float(12.2642596 / np.sqrt(energy * (1 + energy / (2 * ELECTRON_REST_EV))))

    @property
    def interaction_per_VA(self) -> float:
        """Interaction parameter sigma [rad / (V Å)] (Kirkland 2010, 5.6)."""
        rest, energy = ELECTRON_REST_EV, self.energy_eV
        return float(
            2 * np.pi / (self.wavelength_A * energy) * (rest + energy) / (2 * rest + energy)
        )


@dataclass(frozen=True)
class Grid:
    """A square periodic grid of n x n points, `step_A` apart [Å]; frequencies in 1/Å."""

    n: int
    step_A: float
    k: Real = field(init=False, repr=False)
    k_half: Real = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "k", fft.fftfreq(self.n, self.step_A).astype(np.float32))
        object.__setattr__(self, "k_half", fft.rfftfreq(self.n, self.step_A).astype(np.float32))

    @property
    def size_A(self) -> float:
        """Edge of the grid [Å]."""
        return self.n * self.step_A

    def squares(self) -> Real:
        """k^2 on the full plane, (n, n)."""
        return np.asarray(self.k[:, None] ** 2 + self.k[None] ** 2)

    def half_squares(self) -> Real:
        """k^2 on the half plane of a real transform, (n, n // 2 + 1)."""
        return np.asarray(self.k[:, None] ** 2 + self.k_half[None] ** 2)


class Specimen:
    """Atoms by element in slices, each turned into a projected potential when it is asked for."""

    def __init__(self, grid: Grid, atoms: Mapping[Element, Positions], constants: Waves) -> None:
        self._grid, self._constants = grid, constants
        self._atoms = {element: xyz for element, xyz in atoms.items() if len(xyz)}
        heights = np.concatenate([xyz[:, 2] for xyz in self._atoms.values()] or [np.zeros(1)])
        self._top = float(heights.min())
        thickness = float(heights.max()) - self._top + 1e-3
        self.slices = max(1, int(np.ceil(thickness / constants.slice_A)))
        self._factors = {element: self._factor(element) for element in self._atoms}

    def potential(self, number: int) -> tuple[Real, Real] | None:
        """Elastic and absorptive potential of a slice, projected [V Å], (n, n); None: empty."""
        low = self._top + number * self._constants.slice_A
        elastic: npt.NDArray[np.complex64] | None = None
        absorptive: npt.NDArray[np.complex64] | None = None
        for element, xyz in self._atoms.items():
            inside = (xyz[:, 2] >= low) & (xyz[:, 2] < low + self._constants.slice_A)
            if not inside.any():
                continue
            spectrum = fft.rfft2(self._deposit(xyz[inside, :2])) * self._factors[element]
            loss = spectrum * np.float32(self._constants.absorption_of(element.number))
            elastic = spectrum if elastic is None else elastic + spectrum
            absorptive = loss if absorptive is None else absorptive + loss
        if elastic is None or absorptive is None:
            return None
        shape = (self._grid.n, self._grid.n)
        return fft.irfft2(elastic, s=shape), np.maximum(fft.irfft2(absorptive, s=shape), 0)

    def _factor(self, element: Element) -> Real:
        """Spectrum of one atom's potential, sharpened by what the deposit blurs."""
        squares = self._grid.half_squares()
        amplitudes, widths = scattering_terms(element.symbol)
        f = sum(a * np.exp(-b * squares / 4) for a, b in zip(amplitudes, widths, strict=True))
        thermal = np.exp(-element.b_A2 * squares / 4)
        step = self._grid.step_A
        blur = np.sinc(self._grid.k * step)[:, None] * np.sinc(self._grid.k_half * step)[None]
        return np.asarray(POTENTIAL_V_A2 * f * thermal / blur**2 / step**2, np.float32)

    def _deposit(self, xy: Positions) -> Real:
        """Unit weights of atoms spread bilinearly over the four nearest points."""
        n = self._grid.n
        scaled = xy / self._grid.step_A
        corner = np.floor(scaled).astype(np.int64)
        part = scaled - corner
        plane = np.zeros(n * n)
        for down in (0, 1):
            for right in (0, 1):
                weight = np.abs(1 - down - part[:, 0]) * np.abs(1 - right - part[:, 1])
                where = (corner[:, 0] + down) % n * n + (corner[:, 1] + right) % n
                plane += np.bincount(where, weight, n * n)
        return plane.reshape(n, n).astype(np.float32)


def exit_wave(
    grid: Grid,
    atoms: Mapping[Element, Positions],
    beam: Beam,
    constants: Waves,
    tilt_mrad: float = 0.0,
) -> Complex:
    """The wave behind the specimen, of unit intensity before it; (n, n).

    Parameters
    ----------
    grid
        Sampling of the wave.
    atoms
        Positions by element [Å, (N, 3)]; the beam goes along +z.
    beam
        Energy of the electrons.
    constants
        Slices, bandwidth, absorption.
    tilt_mrad
        Angle of the beam against +z, along the rows: the wave drifts across while it propagates.
    """
    specimen = Specimen(grid, atoms, constants)
    squares = grid.squares()
    limit = constants.bandwidth / (2 * grid.step_A)
    across = 2 * tilt_mrad * 1e-3 / beam.wavelength_A * grid.k[:, None]
    step = np.exp(-1j * np.pi * beam.wavelength_A * constants.slice_A * (squares + across))
    propagator = (step * (squares < limit**2)).astype(np.complex64)
    sigma = np.float32(beam.interaction_per_VA)
    wave = np.ones((grid.n, grid.n), np.complex64)
    for number in range(specimen.slices):
        found = specimen.potential(number)
        if found is not None:
            elastic, absorptive = found
            wave *= _transmission(sigma * elastic, sigma * absorptive)
        wave = fft.ifft2(fft.fft2(wave, overwrite_x=True) * propagator, overwrite_x=True)
    return wave


def _transmission(phase: Real, loss: Real) -> Complex:
    """exp(i phase - loss): sine and cosine of reals are several times faster than a complex exp."""
    amplitude = np.exp(-loss)
    transmission = np.empty(phase.shape, np.complex64)
    transmission.real = amplitude * np.cos(phase)
    transmission.imag = amplitude * np.sin(phase)
    return transmission
