from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree

from studyspec.catalog.row import ImageRow
from studyspec.catalog.table import Catalog
from studyspec.errors import TwinError
from studyspec.twin.camera import Exposure, detect
from studyspec.twin.conditions import Conditions
from studyspec.twin.constants import CONSTANTS, Camera
from studyspec.twin.film import make_film
from studyspec.twin.materials import CARBON, CRYSTALS, NITROGEN, SILICON
from studyspec.twin.optics import Focus, intensity
from studyspec.twin.sessions import illuminate, session_of
from studyspec.twin.simulation import simulate
from studyspec.twin.specimen import make_particle, rest
from studyspec.twin.wave import Beam, Grid, exit_wave

PROJECT = Path(__file__).parents[2]
ROWS = [r for r in Catalog.open(PROJECT / "data_catalog.parquet").rows if r.collection == "twin"]
SMALL = replace(Conditions.from_row(ROWS[0]), width_px=128, height_px=128)
BEAM = Beam(300e3)
GRID = Grid(128, 0.2)


def test_the_same_conditions_give_the_same_bytes_in_another_process() -> None:
    code = (
        "import hashlib, sys; from studyspec.twin.conditions import Conditions;"
        "from studyspec.twin.simulation import simulate;"
        f"m = simulate({SMALL!r}); print(hashlib.sha256(m.pixels.tobytes()).hexdigest())"
    )
    runs = [subprocess.check_output([sys.executable, "-c", code]) for _ in range(2)]
    assert runs[0] == runs[1]


def test_another_seed_or_session_is_another_image() -> None:
    image = simulate(SMALL).pixels
    assert not np.array_equal(image, simulate(replace(SMALL, seed=1)).pixels)
    assert not np.array_equal(image, simulate(replace(SMALL, session="another")).pixels)


def test_every_twin_row_can_be_simulated() -> None:
    hashes = {Conditions.from_row(row).image_hash() for row in ROWS}
    assert len(hashes) == len(ROWS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"material": "Xx"}, "knows no material 'Xx'; known: Au, Ag, Pt, Pd, CdSe"),
        ({"support": "mica"}, "knows no support 'mica'"),
        ({"dose_e_per_A2": None}, "'dose_e_per_A2' is missing"),
        ({"pixel_scale_nm": -1.0}, "'pixel_scale_nm' is -1.0"),
        ({"height_px": 77}, "the twin makes square images"),
        ({"image_uri": "twin:one"}, "'twin:one' names no twin image"),
    ],
)
def test_a_row_that_cannot_be_is_named(change: dict[str, object], message: str) -> None:
    row: ImageRow = replace(ROWS[0], **change)  # type: ignore[arg-type]
    with pytest.raises(TwinError, match=message) as caught:
        Conditions.from_row(row)
    assert caught.value.where == row.image_id


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


PLAIN = Camera(
    excess_noise=0, read_noise=0, fixed_pattern=0, xrays_per_electron=0, mtf_half=1e6, quanta=1e9
)


def test_the_bare_camera_counts_electrons() -> None:
    session = session_of("x", CONSTANTS.sessions)
    exposure = Exposure(423, 0.2)
    rng = np.random.default_rng(0)
    electrons = detect(np.ones((256, 256), np.float32), exposure, session, rng, PLAIN)
    electrons = electrons / session.gain
    assert electrons.mean() == pytest.approx(exposure.electrons, rel=0.01)
    assert electrons.var() == pytest.approx(exposure.electrons, rel=0.02)


def test_the_transfer_of_the_camera_correlates_neighbours() -> None:
    session, rng = session_of("x", CONSTANTS.sessions), np.random.default_rng(0)
    flat = np.ones((256, 256), np.float32)
    blurred = detect(flat, Exposure(423, 0.2), session, rng, replace(PLAIN, mtf_half=0.65))
    found = np.corrcoef(blurred[:, :-1].ravel(), blurred[:, 1:].ravel())[0, 1]
    assert found > 0.3


def test_a_lower_dose_is_noisier() -> None:
    images = [simulate(replace(SMALL, dose_e_per_A2=d, seed=3)).pixels for d in (80.0, 884.0)]
    relative = [image.std() / image.mean() for image in images]
    assert relative[0] > 1.5 * relative[1]


def test_x_rays_have_an_energy_of_their_own() -> None:
    session = session_of("x", CONSTANTS.sessions)
    hit = replace(PLAIN, xrays_per_electron=1e-4)
    for dose in (80.0, 884.0):
        exposure = Exposure(dose, 0.2)
        flat = np.ones((512, 512), np.float32)
        counts = detect(flat, exposure, session, np.random.default_rng(0), hit) / session.gain
        assert counts.max() > hit.xray_least + exposure.electrons / 2


def test_illumination_is_positive_with_mean_one_and_falls_off() -> None:
    session = session_of("2021-08-26", CONSTANTS.sessions)
    light = illuminate(session, np.random.default_rng(0), CONSTANTS.sessions)
    places = np.linspace(-1, 1, 64)
    field = light.at(places, places)
    assert field.min() > 0
    assert field.mean() == pytest.approx(1, rel=1e-4)
    assert field.min() / field.max() == pytest.approx(1 - light.loss, abs=0.05)
    assert np.array_equal(field[8:16, 8:16], light.at(places[8:16], places[8:16]))
    assert session == session_of("2021-08-26", CONSTANTS.sessions)


@pytest.mark.parametrize("material", list(CRYSTALS))
def test_a_particle_is_as_wide_as_asked_and_as_dense_as_its_crystal(material: str) -> None:
    crystal = CRYSTALS[material]
    rng = np.random.default_rng(0)
    counts, widths = [], []
    one_grain = replace(CONSTANTS.particles, grained=0.0)
    for _ in range(6):
        particle = make_particle(crystal, 50.0, rng, one_grain)
        counts.append(len(particle.positions))
        widths.append(np.ptp(particle.positions, axis=0).mean())
    volume = np.abs(np.linalg.det(crystal.cell))
    ideal = len(crystal.sites) / volume * np.pi / 6 * 50**3
    assert np.mean(counts) == pytest.approx(ideal, rel=0.2)
    assert np.mean(widths) == pytest.approx(50, rel=0.15)


def test_no_two_atoms_of_a_particle_are_too_near() -> None:
    rng = np.random.default_rng(1)
    twinned = replace(CONSTANTS.particles, twinned=1.0, grained=0.0)
    atoms = make_particle(CRYSTALS["Au"], 40.0, rng, twinned).positions
    distance = cKDTree(atoms).query(atoms, k=2)[0][:, 1]
    assert distance.min() > 0.95 * CRYSTALS["Au"].a_A / np.sqrt(2)


def test_grains_meet_in_planes_and_keep_to_the_particle() -> None:
    rng = np.random.default_rng(2)
    crystal = CRYSTALS["Au"]
    grained = replace(CONSTANTS.particles, grained=1.0)
    found = [make_particle(crystal, 50.0, rng, grained) for _ in range(6)]
    ideal = 4 / crystal.a_A**3 * np.pi / 6 * 50**3
    assert np.mean([len(p.positions) for p in found]) == pytest.approx(ideal, rel=0.25)
    assert all(np.abs(p.positions).max() < 50 * 0.75 for p in found)


def test_particles_that_have_grown_together_share_no_space() -> None:
    rng = np.random.default_rng(0)
    discs = np.array([[100.0, 100.0, 40.0], [100.0, 132.0, 40.0]])
    left, right = (
        rest(make_particle(CRYSTALS["Au"], disc[2], rng, CONSTANTS.particles), disc, discs)
        for disc in discs
    )
    assert left.positions[:, 1].max() <= 116 <= right.positions[:, 1].min()
    assert left.positions[:, 2].max() == 0 == right.positions[:, 2].max()


def test_films_have_their_elements_and_their_thickness() -> None:
    rng = np.random.default_rng(0)
    thickness = 10 * CONSTANTS.film.carbon_nm
    carbon = make_film("ultrathin carbon", 60.0, rng, CONSTANTS.film)[CARBON]
    assert 0.6 * thickness < np.ptp(carbon[:, 2]) <= thickness
    nitride = make_film("silicon nitride", 60.0, rng, CONSTANTS.film)
    assert len(nitride[NITROGEN]) / len(nitride[SILICON]) == pytest.approx(4 / 3, rel=0.05)


def test_atoms_of_a_film_keep_their_distance_across_its_edges_too() -> None:
    flat = replace(CONSTANTS.film, relief=0.0)
    atoms = make_film("ultrathin carbon", 50.0, np.random.default_rng(0), flat)[CARBON]
    box = [50.0, 50.0, 1000.0]
    nearest = cKDTree(atoms, boxsize=box).query(atoms, k=2)[0][:, 1]
    assert nearest.min() >= flat.shortest_A - 1e-4
    wanted = flat.carbon_per_A3 * 50**2 * 10 * flat.carbon_nm
    assert len(atoms) == pytest.approx(wanted, rel=0.02)


@pytest.mark.slow
def test_a_whole_image_shows_its_particles() -> None:
    found = simulate(Conditions.from_row(ROWS[12]))
    assert 0.02 < found.exact.mean() < 0.6
    inside, outside = found.pixels[found.exact], found.pixels[~found.exact]
    assert inside.std() > 1.1 * outside.std()
