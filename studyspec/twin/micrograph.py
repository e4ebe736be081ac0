"""A whole simulated micrograph: specimen, wave, lens, camera and labels from its conditions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft as fft

from studyspec.twin.camera import Exposure, detect
from studyspec.twin.conditions import Conditions
from studyspec.twin.constants import CONSTANTS, NM, Constants
from studyspec.twin.film import make_film
from studyspec.twin.labels import drawn_mask, exact_mask
from studyspec.twin.materials import CRYSTALS, Element
from studyspec.twin.optics import Focus, intensity
from studyspec.twin.sessions import illumination, session_of
from studyspec.twin.specimen import make_particle, place_discs
from studyspec.twin.wave import Beam, Grid, exit_wave

Positions = npt.NDArray[np.float64]
FILM_GAP_A = 1.5
"""Distance between particles and film: about a van der Waals contact less an atom's reach [Å]."""


@dataclass(frozen=True)
class Micrograph:
    """A simulated image: counts (H, W) float32, and its drawn and exact labels (H, W)."""

    pixels: npt.NDArray[np.float32]
    drawn: npt.NDArray[np.bool_]
    exact: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Field:
    """The sampled field of view.

    `over` points of the wave make a pixel of the camera; `margin` points surround the field.
    """

    grid: Grid
    pixels: int
    over: int
    margin: int

    @classmethod
    def of(cls, conditions: Conditions, constants: Constants) -> Field:
        """Sampling fine enough for the wave, with a margin, of a size that transforms fast."""
        waves = constants.waves
        over = max(1, int(np.ceil(conditions.pixel_scale_nm / waves.finest_nm)))
        step_A = conditions.pixel_scale_nm * NM / over
        inner = conditions.width_px * over
        n = fft.next_fast_len(int(inner + 2 * waves.padding_A / step_A))
        n += (n - inner) % 2
        return cls(Grid(n, step_A), conditions.width_px, over, (n - inner) // 2)

    @property
    def size_A(self) -> float:
        """Edge of the field of view [Å]."""
        return self.pixels * self.over * self.grid.step_A

    def seen(self, plane: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """What the camera's pixels see of a plane: means of `over` x `over` points."""
        inner = slice(self.margin, self.margin + self.pixels * self.over)
        blocks = plane[inner, inner].reshape(self.pixels, self.over, self.pixels, self.over)
        return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32))


def simulate(conditions: Conditions, constants: Constants = CONSTANTS) -> Micrograph:
    """Simulate a micrograph; the same conditions give the same bytes on one machine."""
    rng = np.random.default_rng(conditions.seed)
    field = Field.of(conditions, constants)
    beam = Beam(conditions.voltage_kv * 1e3)
    session = session_of(conditions.session, constants.sessions)
    particles = _particles(conditions, field, rng, constants)
    atoms = _on_film(particles, conditions, field, rng, constants)
    wave = exit_wave(field.grid, atoms, beam, constants.waves)
    defocus = session.defocus_nm + rng.normal(0, constants.sessions.defocus_within_nm)
    focus = Focus(defocus, rng.uniform(0, 180))
    seen = field.seen(intensity(wave, field.grid, beam, focus, constants.lens))
    seen *= illumination(seen.shape, session, rng, constants.sessions)
    exposure = Exposure(conditions.dose_e_per_A2, conditions.pixel_scale_nm * NM)
    pixels = detect(seen, exposure, session, rng, constants.camera)
    exact, drawn = _labels(particles, field, constants)
    return Micrograph(pixels, drawn, exact)


def _particles(
    conditions: Conditions, field: Field, rng: np.random.Generator, constants: Constants
) -> dict[Element, Positions]:
    """Atoms of all particles by element [Å], resting on the plane z = 0."""
    crystal = CRYSTALS[conditions.material]
    chosen, diameter = constants.particles, conditions.diameter_nm * NM
    expected = chosen.coverage * field.size_A**2 / (np.pi * diameter**2 / 4)
    n = max(1, int(rng.poisson(expected)))
    diameters = diameter * np.clip(rng.normal(1, chosen.spread, n), 0.7, 1.3)
    shift = field.margin * field.grid.step_A
    atoms: dict[Element, list[Positions]] = {element: [] for element in crystal.elements}
    for row, col, size in place_discs(field.size_A, diameters, rng, chosen):
        particle = make_particle(crystal, size, rng, chosen)
        positions = particle.positions + np.array([row + shift, col + shift, 0])
        positions[:, 2] -= positions[:, 2].max()
        for number, element in enumerate(crystal.elements):
            atoms[element].append(positions[particle.elements == number])
    return {element: np.concatenate(parts) for element, parts in atoms.items()}


def _on_film(
    particles: dict[Element, Positions],
    conditions: Conditions,
    field: Field,
    rng: np.random.Generator,
    constants: Constants,
) -> dict[Element, Positions]:
    """The atoms within the grid and those of the film behind them."""
    size = field.grid.size_A
    inside = {
        element: xyz[((xyz[:, :2] >= 0) & (xyz[:, :2] < size)).all(axis=1)]
        for element, xyz in particles.items()
    }
    film = make_film(conditions.support, size, rng, constants.film)
    below = np.array([0, 0, FILM_GAP_A])
    return inside | {element: xyz + below for element, xyz in film.items()}


def _labels(
    particles: dict[Element, Positions], field: Field, constants: Constants
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    xy = np.concatenate([xyz[:, :2] for xyz in particles.values()])
    grid = field.grid
    fine = exact_mask(xy, grid.n, grid.step_A, constants.labels)
    drawn = drawn_mask(fine, grid.step_A, constants.labels)
    return field.seen(fine) > 0.5, field.seen(drawn) > 0.5
