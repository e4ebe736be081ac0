"""The exit wave against abTEM's, an independent code; skipped where that is not installed.

abTEM is GPL: it is no dependency, not even of development. `pip install abtem` to run this.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from studyspec.twin.constants import CONSTANTS
from studyspec.twin.film import make_film
from studyspec.twin.materials import CARBON, CRYSTALS
from studyspec.twin.specimen import make_particle
from studyspec.twin.wave import Beam, Grid, exit_wave

pytestmark = pytest.mark.slow
GRID = Grid(512, 0.125)
HIGHEST = 1.5
"""Frequencies that a lens could transfer [1/Å]; the bandwidth limits of the two codes differ."""


def low(wave: npt.NDArray[np.complexfloating]) -> npt.NDArray[np.complex128]:
    """The wave without frequencies that no lens transfers."""
    spectrum = np.fft.fft2(wave) * (GRID.squares() < HIGHEST**2)
    return np.asarray(np.fft.ifft2(spectrum))


@pytest.mark.parametrize(("slice_A", "least"), [(10.0, 0.995), (2.0, 0.9995)])
def test_the_exit_wave_is_that_of_abtem(slice_A: float, least: float) -> None:
    hint = "abTEM is not installed (pip install abtem; it is GPL)"
    abtem = pytest.importorskip("abtem", reason=hint)
    ase = pytest.importorskip("ase", reason=hint)
    rng = np.random.default_rng(0)
    gold = CRYSTALS["Au"].elements[0]
    size = GRID.size_A
    particle = make_particle(CRYSTALS["Au"], 30.0, rng, CONSTANTS.particles).positions
    particle = particle + np.array([size / 2, size / 2, -particle[:, 2].min()])
    thin = replace(CONSTANTS.film, carbon_nm=2.0)
    film = make_film("ultrathin carbon", size, rng, thin)[CARBON]
    film = film + np.array([0, 0, particle[:, 2].max() + 1.5])
    constants = replace(
        CONSTANTS.waves, absorption_per_Z=0.0, slice_A=slice_A, film_slice_A=slice_A
    )
    ours = low(exit_wave(GRID, {gold: particle, CARBON: film}, Beam(300e3), constants))
    positions = np.concatenate([particle, film])
    numbers = [gold.number] * len(particle) + [CARBON.number] * len(film)
    box = [size, size, positions[:, 2].max() + 2]
    atoms = ase.Atoms(numbers, positions=positions + np.array([0, 0, 1]), cell=box, pbc=True)
    potential = abtem.Potential(
        atoms, gpts=GRID.n, slice_thickness=1.0, parametrization="kirkland", projection="infinite"
    )
    theirs = low(abtem.PlaneWave(energy=300e3).multislice(potential).compute().array)
    correlation = abs(np.vdot(ours, theirs)) / np.linalg.norm(ours) / np.linalg.norm(theirs)
    assert correlation >= least
