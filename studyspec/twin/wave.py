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
    """Atoms by element in slices, each turned into a projected potential when it is asked for.

    Particles lie above z = 0 and are cut into thin slices; the film behind them, whose atoms are
    light, into thicker ones. `edges_A` are the heights of the slices' faces [Å], one more than
    there are slices; the beam goes along +z.
    """

    def __init__(self, grid: Grid, atoms: Mapping[Element, Positions], constants: Waves) -> None:
        self._grid, self._constants = grid, constants
        self._atoms = {element: xyz for element, xyz in atoms.items() if len(xyz)}
        heights = np.concatenate([xyz[:, 2] for xyz in self._atoms.values()] or [np.zeros(1)])
        above = _edges(min(0.0, float(heights.min())), constants.slice_A)[:0:-1]
        below = _edges(max(0.0, float(heights.max()) + 1e-3), constants.film_slice_A)
        self.edges_A = np.concatenate([above, below])
        self._factors = {element: self._factor(element) for element in self._atoms}

    def potential(self, number: int) -> tuple[Real, Real] | None:
        """Elastic and absorptive potential of a slice, projected [V Å], (n, n); None: empty."""
        low, high = self.edges_A[number : number + 2]
        shape = (self._grid.n, self._grid.n)
        elastic, absorptive = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        empty = True
        for element, xyz in self._atoms.items():
            inside = (xyz[:, 2] >= low) & (xyz[:, 2] < high)
            if not inside.any():
                continue
            spectrum = fft.rfft2(self._deposit(xyz[inside, :2])) * self._factors[element]
            potential = fft.irfft2(spectrum, s=shape)
            elastic += potential
            absorptive += np.float32(self._constants.absorption_of(element.number)) * potential
            empty = False
        return None if empty else (elastic, np.maximum(absorptive, 0))

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
        weights, places = [], []
        for down in (0, 1):
            for right in (0, 1):
                weights.append(np.abs(1 - down - part[:, 0]) * np.abs(1 - right - part[:, 1]))
                places.append((corner[:, 0] + down) % n * n + (corner[:, 1] + right) % n)
        plane = np.bincount(np.concatenate(places), np.concatenate(weights), n * n)
        return plane.reshape(n, n).astype(np.float32)


def _edges(reach_A: float, step_A: float) -> Positions:
    """Faces of slices from 0 to at least this height [Å], which may be negative."""
    n = int(np.ceil(abs(reach_A) / step_A))
    return np.asarray(np.arange(n + 1) * np.copysign(step_A, reach_A), np.float64)


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
        Positions by element [Å, (N, 3)]: particles above the film at z >= 0; the beam goes
        along +z.
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
    phase = np.asarray(-np.pi * beam.wavelength_A * (squares + across), np.float32)
    passed = (squares < limit**2).astype(np.float32)
    propagators: dict[float, Complex] = {}
    sigma = np.float32(beam.interaction_per_VA)
    wave = np.ones((grid.n, grid.n), np.complex64)
    for number, thickness_A in enumerate(np.diff(specimen.edges_A)):
        if thickness_A not in propagators:
            propagators[thickness_A] = waves_of(np.float32(thickness_A) * phase, passed)
        found = specimen.potential(number)
        if found is not None:
            elastic, absorptive = found
            wave *= waves_of(sigma * elastic, np.exp(-sigma * absorptive))
        spectrum = fft.fft2(wave, overwrite_x=True)
        spectrum *= propagators[thickness_A]
        wave = fft.ifft2(spectrum, overwrite_x=True)
    return wave


def waves_of(phase: Real, amplitude: Real) -> Complex:
    """Amplitude exp(i phase): sine and cosine of reals are several times faster."""
    waves = np.empty(phase.shape, np.complex64)
    waves.real = amplitude * np.cos(phase)
    waves.imag = amplitude * np.sin(phase)
    return waves
