"""Noise: the camera as the noise of an image shows it, where the lens passes nothing.

Shot noise is white before the camera, and its level is known where dose and pixel scale are: what
is measured above the lens's limit is the square of the camera's transfer, and a white floor. The
spectrum is noted when an image is prepared (`spectrum`), the camera fitted to it where a catalog
row names none that is known (`fitted`). Knows no network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from studyspec.errors import FileError
from studyspec.plugins.values import Image
from studyspec.twin.constants import NM

if TYPE_CHECKING:
    from studyspec.catalog.row import ImageRow

Array = npt.NDArray[np.float64]
IMAGE_COUNTS, FRAME_COUNTS = "image_counts", "frame_counts"
"""Facts of every image: means of its pixels and of its frame's, which dose is of, before steps."""
TILE = 128
"""Spectra are those of squares of so many pixels."""
MOST = 10
"""At most so many squares along an edge of the image."""
LEAST_TILES = 16
"""512 x 512 pixels: with fewer the errors are above a tenth."""
FIRST, LAST, WIDTH = 0.30, 1.40, 0.05
"""Rings of the spectrum, in Nyquist frequencies; the corners lie at 1.41."""
LEAST_RINGS = 6
"""So many rings above the lens's limit tell a slope from a floor."""
LENS_MRAD = 30.0
"""No lens passes more than about this, and vibration and heat leave less."""
FASTEST_KV = 300.0
"""Where the voltage is unknown: the highest limit that there may be."""
HALF, HALF_SD = 0.35, 1.5
"""Where the transfer may be one half, and how far it may lie from that (ln): a wide guess."""
SHOT, SHOT_SD = 1.12, 0.15
"""The same of an electron's squared signal over that of its mean: literature of scintillators."""
FLOOR, FLOOR_SD = 0.007, 3.0
"""The same of the white floor: hardly anything is known of it beforehand."""
WORST = 0.1
"""Largest standard error of the transfer, relative."""
TILES_FACT = "noise_tiles"
STARTS = (0.2, 0.6, 2.0)
STEPS, LONGEST, ENOUGH = 60, 0.5, 1e-5
_BEFORE = np.log([HALF, SHOT, FLOOR])
_SURE = np.array([HALF_SD, SHOT_SD, FLOOR_SD]) ** -2.0
_EDGES: Array = np.linspace(FIRST, LAST, round((LAST - FIRST) / WIDTH) + 1, dtype=np.float64)
RING_FACTS = tuple(f"noise_{round(100 * edge)}" for edge in _EDGES[:-1])
"""Facts: mean power of a standardized image's pixels, by the ring's least frequency [%]."""
NOISE_FACTS = (TILES_FACT, *RING_FACTS)


def _rings() -> tuple[npt.NDArray[np.intp], Array]:
    """For each frequency of `rfft2` its ring, and how many frequencies it stands for."""
    rows, cols = 2 * np.fft.fftfreq(TILE)[:, None], 2 * np.fft.rfftfreq(TILE)[None]
    stands_for = np.full((TILE, TILE // 2 + 1), 2.0)
    stands_for[:, [0, -1]] = 1
    return np.digitize(np.hypot(rows, cols), _EDGES) - 1, stands_for


_RING, _STANDS_FOR = _rings()
_CELLS = np.array([_STANDS_FOR[ring == _RING].sum() for ring in range(len(RING_FACTS))])
_WINDOW = np.outer(*(np.hanning(TILE + 1)[:TILE],) * 2) / 0.375
"""Hann's, mean square 1: the edges of a square would else be power at all frequencies."""
_INDEPENDENT = 2 * 1.5**2
"""Frequencies for one independent value: two opposite ones are one, and the window blurs."""


@dataclass(frozen=True)
class Noise:
    """A camera as far as its noise says.

    Attributes
    ----------
    transfer_half
        Frequency at which it transfers one half [of Nyquist]; it falls exponentially.
    shot
        Variance that one electron leaves, before the transfer, in squared signals of an electron.
    white
        Variance that one electron leaves as white noise, in the same unit.
    """

    transfer_half: float
    shot: float
    white: float

    def power(self, frequency: Array) -> Array:
        """Power of the noise of one electron at frequencies [of Nyquist]."""
        return self.shot * np.exp2(-2 * frequency / self.transfer_half) + self.white


def spectrum(image: Image) -> dict[str, float]:
    """The facts `NOISE_FACTS` of a standardized image (H, W): mean power of its rings.

    White noise of variance 1 has power 1. Of an image smaller than a square all are 0.
    """
    rows, cols = (_corners(n) for n in image.shape)
    tiles = len(rows) * len(cols)
    total = np.zeros(_RING.shape)
    for row in rows if tiles else ():
        parts = np.stack([image[row : row + TILE, col : col + TILE] for col in cols])
        parts = (parts - parts.mean((1, 2), keepdims=True)) * _WINDOW.astype(np.float32)
        total += (np.abs(np.fft.rfft2(parts)) ** 2).sum(0)
    power = total * _STANDS_FOR / (max(tiles, 1) * TILE**2)
    means = [power[ring == _RING].sum() / cells for ring, cells in enumerate(_CELLS)]
    return dict(zip(NOISE_FACTS, (float(tiles), *map(float, means)), strict=True))


def _corners(n: int) -> list[int]:
    """Where squares begin along an edge of n pixels: none overlap, and they span all of it."""
    tiles = min(n // TILE, MOST)
    return [round(at) for at in np.linspace(0, n - TILE, tiles)] if tiles else []


def fitted(
    facts: Mapping[str, float],
    relative_sd: float,
    electrons: float,
    pixel_scale_nm: float,
    voltage_kv: float | None = None,
) -> Noise:
    """The camera of an image, by the likelihood of its spectrum above the lens's limit.

    The likelihood is that of Whittle (1953). What cannot be told apart there, how unlike electrons'
    signals are and how fast the transfer falls, is held by what scintillators do (`SHOT`). The
    floor holds all that is white: light, reading, pattern.

    Parameters
    ----------
    facts
        What `spectrum` noted.
    relative_sd
        Standard deviation over mean of the image before it was standardized.
    electrons
        That a pixel of the image receives on average.
    pixel_scale_nm, voltage_kv
        Of the image; where the voltage is unknown the limit is that of 300 kV.

    Raises
    ------
    FileError
        If the image has too few pixels, too coarse ones, or noise that tells too little.
    """
    first = _first_ring(pixel_scale_nm, voltage_kv)
    tiles = facts[TILES_FACT]
    if tiles < LEAST_TILES:
        raise _cannot(_too_few(tiles))
    if first > len(RING_FACTS) - LEAST_RINGS:
        raise _cannot(_too_coarse(pixel_scale_nm))
    power = np.array([facts[name] for name in RING_FACTS[first:]]) * relative_sd**2 * electrons
    frequency, weight = _EDGES[first:-1] + WIDTH / 2, _CELLS[first:] * tiles / _INDEPENDENT

    logs, error = min(
        (_scored(np.log([half, SHOT, FLOOR]), frequency, power, weight) for half in STARTS),
        key=lambda one: _cost(one[0], frequency, power, weight),
    )
    if error > WORST:
        raise _cannot(f"its noise tells the camera's transfer to {error:.0%} only")
    return Noise(*map(float, np.exp(logs)))


def _cost(logs: Array, frequency: Array, power: Array, weight: Array) -> float:
    """Whittle's likelihood with what is known beforehand: -ln of both."""
    model = Noise(*np.exp(logs)).power(frequency)
    likely = (weight * (np.log(model) + power / model)).sum()
    return float(likely + ((logs - _BEFORE) ** 2 * _SURE).sum() / 2)


def _scored(logs: Array, frequency: Array, power: Array, weight: Array) -> tuple[Array, float]:
    """The best logarithms of half, shot and white near some, by Fisher's scoring; error of half."""
    for _ in range(STEPS):
        half, shot, white = np.exp(logs)
        coloured = shot * np.exp2(-2 * frequency / half)
        model = coloured + white
        slopes = np.stack([
            coloured * 2 * np.log(2) * frequency / half, coloured, np.full_like(model, white)
        ]) / model  # fmt: skip
        known = (slopes * weight) @ slopes.T + np.diag(_SURE)
        pull = (slopes * weight) @ (power / model - 1) - _SURE * (logs - _BEFORE)
        step = np.linalg.solve(known, pull)
        logs = logs + step * min(1, LONGEST / float(np.abs(step).max()))
        if np.abs(step).max() < ENOUGH:
            break
    return logs, float(np.sqrt(np.linalg.inv(known)[0, 0]))


def unmeasurable(row: ImageRow) -> str:
    """Why the camera of a row's image cannot be fitted, as far as the catalog says; else empty."""
    if row.dose_e_per_A2 is None or row.pixel_scale_nm is None:
        return "dose or pixel scale is not known"
    if _first_ring(row.pixel_scale_nm, row.voltage_kv) > len(RING_FACTS) - LEAST_RINGS:
        return _too_coarse(row.pixel_scale_nm)
    if row.height_px is not None and row.width_px is not None:
        tiles = len(_corners(row.height_px)) * len(_corners(row.width_px))
        return _too_few(tiles) if tiles < LEAST_TILES else ""
    return ""


def _first_ring(pixel_scale_nm: float, voltage_kv: float | None) -> int:
    """The first ring that lies above the lens's limit."""
    from studyspec.twin.wave import Beam

    wavelength_A = Beam((voltage_kv or FASTEST_KV) * 1e3).wavelength_A
    limit = LENS_MRAD * 1e-3 / wavelength_A * 2 * NM * pixel_scale_nm
    return int(np.searchsorted(_EDGES, limit))


def _too_few(tiles: float) -> str:
    return f"it has {tiles:g} squares of {TILE} px, fewer than {LEAST_TILES}"


def _too_coarse(pixel_scale_nm: float) -> str:
    return f"at {pixel_scale_nm:g} nm a pixel, what the lens passes reaches all frequencies"


def _cannot(why: str) -> FileError:
    return FileError(f"its camera cannot be estimated: {why}", hint="name its camera")
