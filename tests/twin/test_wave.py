from __future__ import annotations

from dataclasses import replace

import gemmi
import numpy as np
import pytest

from studyspec.twin.constants import CONSTANTS, POTENTIAL_V_A2
from studyspec.twin.film import make_film
from studyspec.twin.materials import CARBON, CRYSTALS, NITROGEN, SILICON, Element
from studyspec.twin.wave import Beam, Grid, Specimen, exit_wave

BEAM = Beam(300e3)
GRID = Grid(128, 0.2)
FINE = Grid(512, 0.025)
MIDDLE = np.array([[6.4, 6.4, 0.0]])
MOTT_BETHE = 0.0239337
"""m e^2 / (8 pi eps0 h^2) [1/Å]: an electron factor is this (Z - X-ray factor) / s^2 [Å]."""


def test_the_wavelength_at_300_kv_is_that_of_the_books() -> None:
    assert BEAM.wavelength_A == pytest.approx(0.0196875, rel=1e-4)
    assert BEAM.interaction_per_VA == pytest.approx(6.526e-4, rel=1e-3)


def test_the_wave_behind_nothing_is_the_incident_one() -> None:
    wave = exit_wave(GRID, {CARBON: np.empty((0, 3))}, BEAM, CONSTANTS.waves)
    assert np.allclose(wave, 1)


def test_without_absorption_no_electron_is_lost() -> None:
    film = make_film("ultrathin carbon", GRID.size_A, np.random.default_rng(0), CONSTANTS.film)
    lossless = replace(CONSTANTS.waves, absorption_per_Z=0.0)
    wave = exit_wave(GRID, film, BEAM, lossless)
    assert np.mean(np.abs(wave) ** 2) == pytest.approx(1, abs=0.01)


def test_heavier_atoms_shift_the_phase_more() -> None:
    xyz = np.array([[GRID.size_A / 2, GRID.size_A / 2, 0.0]])
    gold = CRYSTALS["Au"].elements[0]
    phases = [
        np.abs(np.angle(exit_wave(GRID, {element: xyz}, BEAM, CONSTANTS.waves))).max()
        for element in (CARBON, gold)
    ]
    assert phases[1] > 2 * phases[0] > 0


@pytest.mark.parametrize("element", [CRYSTALS["Au"].elements[0], CARBON, SILICON, NITROGEN])
def test_atoms_scatter_as_tabulated_x_ray_factors_say(element: Element) -> None:
    """Mott and Bethe: electron factors from X-ray ones, which are another table."""
    still = replace(element, b_A2=0.0)
    spectrum = np.abs(np.fft.fft2(projected({still: MIDDLE}, FINE)))
    k = np.fft.fftfreq(FINE.n, FINE.step_A)
    for number in (5, 10, 15, 20):
        s2 = float(k[number] / 2) ** 2
        xray = gemmi.Element(element.symbol).it92.calculate_sf(s2)
        expected = POTENTIAL_V_A2 * MOTT_BETHE * (element.number - xray) / s2
        assert spectrum[0, number] * FINE.step_A**2 == pytest.approx(expected, rel=0.02)


def test_trembling_atoms_are_blurred_as_debye_and_waller_say() -> None:
    """The mean over atoms displaced by sd u is damped by exp(-2 pi^2 u^2 k^2), u^2 = B / 8 pi^2."""
    b_A2, n = 2.0, 4000
    rng = np.random.default_rng(0)
    gold = replace(CRYSTALS["Au"].elements[0], b_A2=0.0)
    displaced = MIDDLE + rng.normal(0, np.sqrt(b_A2 / 8) / np.pi, (n, 3))
    displaced[:, 2] = 0
    trembling = np.abs(np.fft.fft2(projected({gold: displaced}, FINE)))[0] / n
    blurred = np.abs(np.fft.fft2(projected({replace(gold, b_A2=b_A2): MIDDLE}, FINE)))[0]
    assert trembling[:12] == pytest.approx(blurred[:12], rel=0.05)


def projected(atoms: dict[Element, np.ndarray], grid: Grid) -> np.ndarray:
    found = Specimen(grid, atoms, CONSTANTS.waves).potential(0)
    assert found is not None
    return found[0]
