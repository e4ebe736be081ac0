from __future__ import annotations

import hashlib
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from studyspec.catalog.table import Catalog
from studyspec.catalog.twin_rows import SETTABLE
from studyspec.errors import TwinError
from studyspec.twin.conditions import Conditions
from studyspec.twin.constants import CONSTANTS, Sample
from studyspec.twin.knobs import Knobs
from studyspec.twin.materials import CARBON, CRYSTALS
from studyspec.twin.optics import Focus, intensity
from studyspec.twin.simulation import simulate
from studyspec.twin.wave import Beam, Grid, exit_wave

Image = npt.NDArray[np.floating]
PROJECT = Path(__file__).parents[2]
ROW = Catalog.open(PROJECT / "data_catalog.parquet").rows_of("twin")[0]
SMALL = replace(ROW, width_px=128, height_px=128)
GOLD = CRYSTALS["Au"].elements[0]
TURNED: dict[str, float | str] = {
    "defocus_nm": -20.0,
    "spherical_aberration_mm": 0.5,
    "focal_spread_nm": 6.0,
    "convergence_mrad": 1.0,
    "aperture_mrad": 10.0,
    "tilt_mrad": 8.0,
    "film_thickness_nm": 10.0,
    "temperature_K": 900.0,
    "camera": "ideal",
}


def pixels(**knobs: float | str) -> str:
    conditions = Conditions.from_row(replace(SMALL, **knobs))  # type: ignore[arg-type]
    return hashlib.sha256(simulate(conditions).pixels.tobytes()).hexdigest()


def test_every_knob_of_the_catalog_is_one_of_the_twin() -> None:
    assert list(SETTABLE) == [one.name for one in fields(Knobs)] == list(TURNED)


def test_a_knob_that_is_not_turned_is_in_no_identity() -> None:
    conditions = Conditions.from_row(ROW).recipe()["conditions"]
    assert isinstance(conditions, dict)
    assert len(conditions) == 10
    assert "knobs" not in conditions
    assert not set(TURNED) & set(conditions)


@pytest.mark.parametrize("name", TURNED)
def test_a_turned_knob_is_another_image(name: str) -> None:
    turned = replace(SMALL, **{name: TURNED[name]})  # type: ignore[arg-type]
    assert Conditions.from_row(turned).image_hash() != Conditions.from_row(SMALL).image_hash()
    assert pixels(**{name: TURNED[name]}) != pixels()


def test_the_focus_asked_for_takes_the_place_of_the_sessions() -> None:
    constants = replace(CONSTANTS, sessions=replace(CONSTANTS.sessions, defocus_nm=300.0))
    asked = Conditions.from_row(replace(SMALL, defocus_nm=5.0))
    assert np.array_equal(simulate(asked).pixels, simulate(asked, constants).pixels)


def test_knobs_at_the_twins_own_values_give_its_pixels() -> None:
    lens = CONSTANTS.lens
    own = pixels(
        spherical_aberration_mm=lens.cs_um / 1e3,
        focal_spread_nm=lens.focal_spread_nm,
        convergence_mrad=lens.convergence_mrad,
        aperture_mrad=lens.aperture_mrad,
        film_thickness_nm=CONSTANTS.film.carbon_nm,
        temperature_K=293.0,
        tilt_mrad=0.0,
        camera="Gatan OneView",
    )
    assert own == pixels()


def test_displacements_grow_with_temperature() -> None:
    assert GOLD.heated(586.0).b_A2 == pytest.approx(2 * GOLD.b_A2)
    assert Knobs(temperature_K=586.0).on(CONSTANTS).waves.temperature_K == 586.0
    assert GOLD.heated(CONSTANTS.waves.temperature_K) == GOLD


def test_a_wider_spread_of_focus_has_more_points() -> None:
    assert Knobs(focal_spread_nm=8.0).on(CONSTANTS).lens.focal_steps == 12
    assert Knobs(focal_spread_nm=0.0).on(CONSTANTS).lens.focal_steps == 3


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("aperture_mrad", 0.0, "use > 0"),
        ("temperature_K", -4.0, "use > 0"),
        ("focal_spread_nm", -1.0, "use >= 0"),
        ("defocus_nm", float("nan"), "use a number"),
        ("aperture_mrad", 50.0, "use 33 at most"),
    ],
)
def test_a_value_that_cannot_be_is_named(name: str, value: float, hint: str) -> None:
    row = replace(ROW, **{name: value})  # type: ignore[arg-type]
    with pytest.raises(TwinError, match=f"{ROW.image_id}: '{name}' is {value}; {hint}"):
        Conditions.from_row(row)


def test_minus_zero_is_zero() -> None:
    zeros = [Conditions.from_row(replace(ROW, defocus_nm=nm)).image_hash() for nm in (0.0, -0.0)]
    assert zeros[0] == zeros[1]


def test_an_unknown_camera_is_named() -> None:
    hint = "known: Gatan OneView, Gatan K3, CCD, ideal"
    with pytest.raises(TwinError, match=f"unknown camera 'Kodak'; {hint}"):
        Conditions.from_row(replace(ROW, camera="Kodak"))


def test_a_tilted_beam_drifts_across_while_it_propagates() -> None:
    """Behind t of vacuum a shadow lies t tan(tilt) further on."""
    grid, beam = Grid(256, 0.2), Beam(300e3)
    atoms = {CARBON: np.array([[25.6, 25.6, 0.0], [2.0, 2.0, 200.0]])}
    rows = []
    for tilt in (0.0, 10.0):
        wave = exit_wave(grid, atoms, beam, CONSTANTS.waves, tilt)
        near = np.abs(wave[64:192, 64:192] - 1) ** 2
        rows.append(float((near.sum(1) * np.arange(128)).sum() / near.sum()) * grid.step_A)
    assert abs(rows[1] - rows[0]) == pytest.approx(210 * 0.010, rel=0.1)


def test_tilt_is_coma_where_there_is_spherical_aberration_alone() -> None:
    """A tilted beam shifts the image of a lens without aberrations, and does no more."""
    grid, beam = Grid(128, 0.2), Beam(300e3)
    wave = np.exp(0.1j * np.random.default_rng(0).normal(size=(128, 128))).astype(np.complex64)
    plain = replace(CONSTANTS.lens, convergence_mrad=0.0, aperture_mrad=20.0)
    for cs_um, alike in ((0.0, True), (1200.0, False)):
        lens = replace(plain, cs_um=cs_um)
        straight, tilted = (
            intensity(wave, grid, beam, Focus(20.0), replace(lens, tilt_mrad=tilt))
            for tilt in (0.0, 1.0)
        )
        correlation = float(np.corrcoef(straight.ravel(), tilted.ravel())[0, 1])
        assert (correlation > 0.97) is alike


@pytest.mark.parametrize(("defocus_nm", "cs_mm"), [(40, 0), (80, 0), (30, 1.2), (-30, 1.2)])
def test_film_is_dark_in_the_spectrum_where_the_contrast_transfer_is_zero(
    defocus_nm: float, cs_mm: float
) -> None:
    """The first zero of sin(pi (l dz k^2 + Cs l^3 k^4 / 2)); 1 nm of film is one slice."""
    bare = replace(CONSTANTS.particles, samples=(Sample("Au", 5.0, 0.0, 0.0),))
    flat = replace(CONSTANTS.film, carbon_relief=0.0)
    round_ = replace(CONSTANTS.lens, astigmatism_nm=0.0)
    constants = replace(CONSTANTS, particles=bare, film=flat, lens=round_)
    conditions = replace(
        Conditions.from_row(ROW), pixel_scale_nm=0.04, dose_e_per_A2=1e6, width_px=256,
        height_px=256, knobs=Knobs(defocus_nm, cs_mm, film_thickness_nm=0.9, camera="ideal"),
    )  # fmt: skip
    k, power = radial_power(simulate(conditions, constants).pixels, 0.4)
    wavelength_A, fine = Beam(300e3).wavelength_A, np.linspace(0.05, 1, 100_000)
    zeros = wavelength_A * (10 * defocus_nm + 10) * fine**2  # the slice is 10 Å before the exit
    zeros += cs_mm * 1e7 / 2 * wavelength_A**3 * fine**4
    first = fine[np.flatnonzero(np.diff(np.sign(np.sin(np.pi * zeros))))[0]]
    near = abs(k / first - 1) < 0.2
    assert k[near][power[near].argmin()] == pytest.approx(first, rel=0.03)


def radial_power(pixels: Image, step_A: float) -> tuple[Image, Image]:
    """Frequencies [1/Å] and the mean power in rings of them."""
    window = np.hanning(len(pixels))
    spectrum = np.fft.fft2((pixels / pixels.mean() - 1) * window * window[:, None])
    k = np.fft.fftfreq(len(pixels), step_A)
    edges = np.arange(0.1, 1, 0.008)
    rings = np.digitize(np.hypot(k, k[:, None]), edges).ravel()
    n = len(edges) + 1
    power = np.bincount(rings, (abs(spectrum) ** 2).ravel(), n) / np.bincount(rings, None, n)
    return edges[:-1] + 0.004, power[1:-1]
