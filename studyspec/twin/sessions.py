"""Sessions: what is set once for a day at the microscope, drawn from the session's name."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from studyspec.twin.constants import Sessions

Plane = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Session:
    """One day: focus, direction and falloff of the illumination, gain, and the pattern's seed."""

    defocus_nm: float
    beam_deg: float
    falloff: float
    gain: float
    pattern_seed: int


@dataclass(frozen=True)
class Illumination:
    """A Gaussian beam over the camera's field, mean 1; places count from -1 to 1 across it.

    The darkest corner of the field gets `1 - loss` of the beam's middle.
    """

    row: float
    col: float
    loss: float

    def at(self, rows: npt.NDArray[np.float64], cols: npt.NDArray[np.float64]) -> Plane:
        """Light at these places, relative to the field's mean; shape (rows, cols)."""
        field = np.linspace(-1, 1, 64)
        return np.asarray(self._raw(rows, cols) / self._raw(field, field).mean(), np.float32)

    def _raw(
        self, rows: npt.NDArray[np.float64], cols: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        farthest = (1 + abs(self.row)) ** 2 + (1 + abs(self.col)) ** 2
        down = (1 - self.loss) ** ((rows - self.row) ** 2 / farthest)
        return np.asarray(down[:, None] * (1 - self.loss) ** ((cols - self.col) ** 2 / farthest))


def session_of(name: str, constants: Sessions) -> Session:
    """The session of this name: the same name gives the same session, on every machine."""
    seed = zlib.crc32(name.encode())
    rng = np.random.default_rng(seed)
    return Session(
        defocus_nm=constants.defocus_nm + rng.normal(0, constants.defocus_between_nm),
        beam_deg=rng.uniform(0, 360),
        falloff=rng.uniform(*constants.falloff),
        gain=rng.uniform(*constants.gain),
        pattern_seed=seed,
    )


def illuminate(session: Session, rng: np.random.Generator, constants: Sessions) -> Illumination:
    """The beam of one image: near the session's direction and falloff."""
    turn = np.deg2rad(session.beam_deg + rng.normal(0, constants.turn_deg))
    loss = np.clip(session.falloff * (1 + rng.normal(0, constants.falloff_sd)), 0, 0.85)
    away = constants.center
    return Illumination(float(away * np.sin(turn)), float(away * np.cos(turn)), float(loss))
