"""Exit wave, lens and counting against abTEM's, an independent code; skipped where it is not there.

abTEM is GPL: it is no dependency, not even of development. `pip install abtem` to run this.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from studyspec.catalog.cameras import CAMERAS
from studyspec.twin.camera import Exposure, detect
from studyspec.twin.constants import CONSTANTS
from studyspec.twin.film import make_film
from studyspec.twin.materials import CARBON, CRYSTALS
from studyspec.twin.optics import Focus, intensity
from studyspec.twin.sessions import session_of
from studyspec.twin.specimen import make_particle
from studyspec.twin.wave import Beam, Grid, exit_wave

pytestmark = pytest.mark.slow
GRID = Grid(512, 0.125)
HIGHEST = 1.5
"""Frequencies that a lens could transfer [1/Å]; the bandwidth limits of the two codes differ."""

HINT = "abTEM is not installed (pip install abtem; it is GPL)"
BEAM = Beam(300e3)
SHARP = replace(
    CONSTANTS.lens,
    cs_um=0.0,
    focal_spread_nm=0.0,
    convergence_mrad=0.0,
    vibration_A=0.0,
    astigmatism_nm=0.0,
)
"""A lens without aberrations; its aperture lies beyond what the wave below holds."""


def low(wave: npt.NDArray[np.complexfloating]) -> npt.NDArray[np.complex128]:
    """The wave without frequencies that no lens transfers."""
    spectrum = np.fft.fft2(wave) * (GRID.squares() < HIGHEST**2)
    return np.asarray(np.fft.ifft2(spectrum))


@pytest.mark.parametrize(("slice_A", "least"), [(10.0, 0.995), (2.0, 0.9995)])
def test_the_exit_wave_is_that_of_abtem(slice_A: float, least: float) -> None:
    abtem = pytest.importorskip("abtem", reason=HINT)
    ase = pytest.importorskip("ase", reason=HINT)
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


def weak_wave() -> npt.NDArray[np.complex64]:
    """A wave of weak random phase, of frequencies well inside the aperture."""
    phase = np.random.default_rng(1).normal(size=(GRID.n, GRID.n))
    spectrum = np.fft.fft2(phase) * (GRID.squares() < 1.0)
    phase = np.fft.ifft2(spectrum).real
    return np.asarray(np.exp(0.05j * phase / phase.std()), np.complex64)


@pytest.mark.parametrize(
    ("lens", "focus"),
    [
        ({}, Focus(12.0)),
        ({}, Focus(-12.0)),
        ({"cs_um": 1200.0}, Focus(-60.0)),
        ({"cs_um": -15.0}, Focus(8.0)),
        ({"astigmatism_nm": 6.0}, Focus(10.0, 30.0)),
        ({"focal_spread_nm": 2.0, "focal_steps": 9}, Focus(10.0)),
        ({"convergence_mrad": 0.5, "cs_um": 1200.0}, Focus(-60.0)),
    ],
)
def test_the_lens_is_that_of_abtem(lens: dict[str, float], focus: Focus) -> None:
    """Their focus is positive below, C10 is ours; their spread is sqrt(2) sd, their x our rows."""
    abtem = pytest.importorskip("abtem", reason=HINT)
    wave, chosen = weak_wave(), replace(SHARP, **lens)  # type: ignore[arg-type]
    ours = intensity(wave.copy(), GRID, BEAM, focus, chosen)
    ctf = abtem.CTF(
        energy=300e3,
        C10=10 * focus.defocus_nm,
        C30=1e4 * chosen.cs_um,
        C12=10 * chosen.astigmatism_nm,
        phi12=np.pi / 2 - np.deg2rad(focus.astigmatism_deg),
        focal_spread=10 * np.sqrt(2) * chosen.focal_spread_nm,
        angular_spread=chosen.convergence_mrad,
    )
    waves = abtem.Waves(wave, energy=300e3, sampling=GRID.step_A)
    theirs = waves.apply_ctf(ctf).intensity().compute().array
    contrast = (np.asarray(one, np.float64) - 1 for one in (ours, theirs))
    mine, other = (one - one.mean() for one in contrast)
    assert np.corrcoef(mine.ravel(), other.ravel())[0, 1] > 0.995
    assert mine.std() == pytest.approx(other.std(), rel=0.02)


def test_the_ideal_camera_counts_as_abtem_does() -> None:
    """Mean and variance of electrons, where much of the beam arrives and where little does."""
    abtem = pytest.importorskip("abtem", reason=HINT)
    plane = np.full((256, 256), 1.3, np.float32)
    plane[:, 128:] = 0.4
    dose, step_A = 423.0, 0.2
    images = abtem.measurements.Images(plane, sampling=step_A)
    theirs = np.asarray(images.poisson_noise(dose_per_area=dose, seed=1).array)
    session = session_of("a", CONSTANTS.sessions)
    exposure = Exposure(dose, step_A)
    counts = detect(plane, exposure, session, np.random.default_rng(0), CAMERAS["ideal"])
    ours = counts / session.gain
    for part in (slice(0, 128), slice(128, 256)):
        assert ours[:, part].mean() == pytest.approx(theirs[:, part].mean(), rel=0.01)
        assert ours[:, part].var() == pytest.approx(theirs[:, part].var(), rel=0.03)
