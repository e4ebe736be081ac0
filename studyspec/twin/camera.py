"""The camera: electrons counted, blurred, amplified and read, with x-rays among them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft as fft

from studyspec.twin.constants import Camera
from studyspec.twin.sessions import Session

Image = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Exposure:
    """Dose [e/Å^2] and edge of a pixel in the specimen [Å]."""

    dose_e_per_A2: float
    pixel_A: float

    @property
    def electrons(self) -> float:
        """Mean electrons in a pixel."""
        return self.dose_e_per_A2 * self.pixel_A**2


def detect(
    intensity: Image,
    exposure: Exposure,
    session: Session,
    rng: np.random.Generator,
    camera: Camera,
) -> Image:
    """Counts of the camera for an intensity in units of the incident beam; (H, W), float32.

    Electrons arrive at random (Poisson), each with its own signal (excess noise), and are then
    blurred (MTF), so that the noise is coloured as in a real camera.
    """
    electrons = rng.poisson(np.maximum(intensity, 0) * exposure.electrons).astype(np.float32)
    spread = rng.standard_normal(electrons.shape, np.float32)
    electrons += np.sqrt(electrons) * np.float32(camera.excess_noise) * spread
    light = np.maximum(_blur(electrons, camera), 0)
    light += np.sqrt(light / np.float32(camera.quanta)) * rng.standard_normal(
        light.shape, np.float32
    )
    counts = light * np.float32(session.gain)
    pattern = np.random.default_rng(session.pattern_seed)
    counts *= 1 + np.float32(camera.fixed_pattern) * pattern.standard_normal(
        counts.shape, np.float32
    )
    counts += np.float32(camera.read_noise) * rng.standard_normal(counts.shape, np.float32)
    _add_xrays(counts, exposure.electrons, session.gain, rng, camera)
    return counts


def _blur(electrons: Image, camera: Camera) -> Image:
    """Modulation transfer 2^-(u / half), u in units of Nyquist."""
    rows = fft.fftfreq(electrons.shape[0]).astype(np.float32)[:, None] * 2
    cols = fft.rfftfreq(electrons.shape[1]).astype(np.float32)[None] * 2
    transfer = np.exp2(-np.sqrt(rows**2 + cols**2) / np.float32(camera.mtf_half))
    return np.asarray(fft.irfft2(fft.rfft2(electrons) * transfer, s=electrons.shape), np.float32)


def _add_xrays(
    counts: Image, electrons: float, gain: float, rng: np.random.Generator, camera: Camera
) -> None:
    """Add hits in place; some spill into the pixel below or to the right."""
    n = rng.poisson(camera.xrays_per_electron * electrons * counts.size)
    rows, cols = rng.integers(0, counts.shape[0], n), rng.integers(0, counts.shape[1], n)
    signal = gain * (camera.xray_least + rng.exponential(camera.xray_mean, n))
    np.add.at(counts, (rows, cols), signal.astype(np.float32))
    for down, right in ((0, 1), (1, 0)):
        spills = rng.random(n) < camera.xray_spill
        where = (
            (rows[spills] + down) % counts.shape[0],
            (cols[spills] + right) % counts.shape[1],
        )
        np.add.at(counts, where, (signal[spills] * camera.xray_spill).astype(np.float32))
