from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from studyspec.catalog.cameras import Camera
from studyspec.twin.camera import Exposure, add_xrays, detect, fixed_pattern, transfer
from studyspec.twin.constants import CONSTANTS
from studyspec.twin.sessions import session_of

PLAIN = Camera(
    excess_noise=0, read_noise=0, fixed_pattern=0, xrays_per_electron=0, mtf_half=1e6, quanta=1e9
)
SESSION = session_of("x", CONSTANTS.sessions)


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


def test_x_rays_have_an_energy_of_their_own() -> None:
    session = session_of("x", CONSTANTS.sessions)
    hit = replace(PLAIN, xrays_per_electron=1e-4)
    for dose in (80.0, 884.0):
        exposure = Exposure(dose, 0.2)
        flat = np.ones((512, 512), np.float32)
        counts = detect(flat, exposure, session, np.random.default_rng(0), hit) / session.gain
        assert counts.max() > hit.xray_least + exposure.electrons / 2


def test_electrons_of_differing_signals_and_the_gain_are_seen_in_mean_and_variance() -> None:
    """Var = gain^2 N (1 + excess^2) for a mean of gain N: what a photon transfer curve measures."""
    spread = replace(PLAIN, excess_noise=0.35)
    slopes = []
    for dose in (200.0, 800.0):
        exposure = Exposure(dose, 0.2)
        flat, rng = np.ones((512, 512), np.float32), np.random.default_rng(1)
        counts = detect(flat, exposure, SESSION, rng, spread)
        slopes.append(counts.var() / counts.mean())
    assert slopes == pytest.approx([SESSION.gain * (1 + 0.35**2)] * 2, rel=0.03)


def test_noise_leaves_the_camera_with_the_square_of_its_transfer() -> None:
    blurring = replace(PLAIN, mtf_half=0.4)
    exposure, rng = Exposure(2000, 0.2), np.random.default_rng(2)
    counts = detect(np.ones((512, 512), np.float32), exposure, SESSION, rng, blurring)
    power = np.abs(np.fft.fft2(counts / SESSION.gain)) ** 2 / counts.size / exposure.electrons
    frequency = np.hypot(np.fft.fftfreq(512)[:, None], np.fft.fftfreq(512)[None])
    for middle in (0.05, 0.1, 0.2, 0.3):
        ring = np.abs(frequency - middle) < 0.005
        expected = transfer(frequency[ring].astype(np.float32), blurring) ** 2
        assert power[ring].mean() == pytest.approx(expected.mean(), rel=0.06)


def test_a_place_of_the_field_has_one_gain_in_all_images() -> None:
    whole = fixed_pattern(7, Exposure(423, 0.2, 0, 0), 700)
    part = fixed_pattern(7, Exposure(423, 0.2, 200, 330), 300)
    assert np.array_equal(part, whole[200:500, 330:630])
    assert whole.std() == pytest.approx(1, rel=0.01)
    assert not np.array_equal(part, fixed_pattern(8, Exposure(423, 0.2, 200, 330), 300))


def test_x_rays_are_as_rare_as_in_real_images() -> None:
    """Three pixels over 1500 counts in 14 fields of 4096 x 4096 at 423 e/Å^2."""
    rng, found = np.random.default_rng(0), 0
    camera, fields = CONSTANTS.camera, 400
    many = replace(camera, xrays_per_electron=camera.xrays_per_electron * 64)
    for _ in range(fields):
        counts = np.zeros((512, 512), np.float32)
        add_xrays(counts, 423 * 0.2**2, SESSION.gain, rng, many)
        found += int((counts > 1500).sum())
    assert 0.1 <= found / fields <= 0.4
