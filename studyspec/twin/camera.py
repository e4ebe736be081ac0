"""The camera: electrons counted, blurred, amplified and read, with x-rays among them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.fft as fft

from studyspec.catalog.cameras import Camera
from studyspec.twin.sessions import Session

Image = npt.NDArray[np.float32]
TILE = 256
"""The fixed pattern is drawn in squares of so many pixels."""


@dataclass(frozen=True)
class Exposure:
    """What a pixel receives, and where the image begins in the camera's field.

    Attributes
    ----------
    dose_e_per_A2
        Electrons on the specimen [e/Å^2].
    pixel_A
        Edge of a pixel in the specimen [Å].
    row, col
        The image's corner in the field [px].
    """

    dose_e_per_A2: float
    pixel_A: float
    row: int = 0
    col: int = 0

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
    pattern = fixed_pattern(session.pattern_seed, exposure, counts.shape[0])
    counts *= 1 + np.float32(camera.fixed_pattern) * pattern
    counts += np.float32(camera.read_noise) * rng.standard_normal(counts.shape, np.float32)
    add_xrays(counts, exposure.electrons, session.gain, rng, camera)
    return counts


def transfer(frequency: Image, camera: Camera) -> Image:
    """Modulation transfer at frequencies [cycles per pixel]: 2^-(u / half), u of Nyquist.

    What a pixel integrates is part of it. White noise of the electrons leaves the camera with the
    square of this as its spectrum; noise of light and of reading stays white.
    """
    return np.asarray(np.exp2(-2 * frequency / np.float32(camera.mtf_half)), np.float32)


def fixed_pattern(seed: int, exposure: Exposure, edge: int) -> Image:
    """The gains' deviations where the image lies, sd 1; (edge, edge).

    The same place of the field has the same gain in every image of a session.
    """
    first = exposure.row // TILE, exposure.col // TILE
    down, right = exposure.row - first[0] * TILE, exposure.col - first[1] * TILE
    across, wide = (-(-(start + edge) // TILE) for start in (down, right))
    rows = [
        [_tile(seed, first[0] + row, first[1] + col) for col in range(wide)]
        for row in range(across)
    ]
    return np.block(rows)[down : down + edge, right : right + edge]


def _tile(seed: int, row: int, col: int) -> Image:
    return np.random.default_rng((seed, row, col)).standard_normal((TILE, TILE), np.float32)


def _blur(electrons: Image, camera: Camera) -> Image:
    rows = fft.fftfreq(electrons.shape[0]).astype(np.float32)[:, None]
    cols = fft.rfftfreq(electrons.shape[1]).astype(np.float32)[None]
    kept = transfer(np.sqrt(rows**2 + cols**2), camera)
    return np.asarray(fft.irfft2(fft.rfft2(electrons) * kept, s=electrons.shape), np.float32)


def add_xrays(
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
