from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from studyspec.twin.constants import CONSTANTS
from studyspec.twin.field import Field
from studyspec.twin.film import make_film
from studyspec.twin.optics import Focus, intensity
from studyspec.twin.wave import Beam, Grid, exit_wave
from tests.twin.scenes import CONDITIONS

BEAM = Beam(300e3)
GRID = Grid(128, 0.2)


def test_the_aperture_cuts_frequencies() -> None:
    rng = np.random.default_rng(0)
    wave = np.exp(0.1j * rng.normal(size=(128, 128))).astype(np.complex64)
    fine = Grid(128, 0.15)
    lens = replace(CONSTANTS.lens, aperture_mrad=20.0, vibration_A=0.0)
    image = intensity(wave, fine, BEAM, Focus(6.0), lens)
    power = np.abs(np.fft.fft2(image)) ** 2
    angle_mrad = np.sqrt(fine.squares()) * BEAM.wavelength_A * 1e3
    beyond = angle_mrad > 2.2 * lens.aperture_mrad
    assert power[beyond].mean() < 1e-4 * power[~beyond].mean()


def test_drift_blurs_along_its_direction_alone() -> None:
    rng = np.random.default_rng(0)
    wave = np.exp(0.1j * rng.normal(size=(128, 128))).astype(np.complex64)
    still, moved = (
        intensity(wave, GRID, BEAM, Focus(6.0, 0.0, drift, 0.0), CONSTANTS.lens)
        for drift in (0.0, 2.0)
    )
    rows, cols = (np.diff(moved, axis=a).std() / np.diff(still, axis=a).std() for a in (0, 1))
    assert cols < 0.8 * rows


def test_in_focus_a_weak_wave_has_hardly_any_contrast() -> None:
    film = make_film("ultrathin carbon", GRID.size_A, np.random.default_rng(0), CONSTANTS.film)
    wave = exit_wave(GRID, film, BEAM, CONSTANTS.waves)
    sd = [intensity(wave, GRID, BEAM, Focus(f), CONSTANTS.lens).std() for f in (0.0, 40.0)]
    assert sd[1] > 1.2 * sd[0]


@pytest.mark.parametrize("pixel_scale_nm", [0.02, 0.026, 0.033, 0.042])
def test_the_aperture_is_the_same_at_every_magnification(pixel_scale_nm: float) -> None:
    grid = Field.of(replace(CONDITIONS, pixel_scale_nm=pixel_scale_nm), CONSTANTS.waves).grid
    point = np.zeros((grid.n, grid.n), np.complex64)
    point[0, 0] = 1
    lens = replace(CONSTANTS.lens, vibration_A=0.0, convergence_mrad=0.0)
    highest = lens.aperture_mrad * 1e-3 / BEAM.wavelength_A
    assert CONSTANTS.waves.bandwidth / (2 * grid.step_A) > 1.05 * highest
    half = highest * (1 - lens.aperture_edge_mrad / lens.aperture_mrad)  # of a squared edge
    passed = float(intensity(point, grid, BEAM, Focus(0.0), lens).sum()) / grid.step_A**2
    assert passed == pytest.approx(np.pi * half**2, rel=0.01)
