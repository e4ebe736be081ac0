"""Sessions: what is set once for a day at the microscope, drawn from the session's name."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from studyspec.twin.constants import Sessions


@dataclass(frozen=True)
class Session:
    """One day: focus, direction and falloff of the illumination, gain, and the pattern's seed."""

    defocus_nm: float
    beam_deg: float
    falloff: float
    gain: float
    pattern_seed: int


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


def illumination(
    shape: tuple[int, int], session: Session, rng: np.random.Generator, constants: Sessions
) -> npt.NDArray[np.float32]:
    """A Gaussian beam beside the centre: positive, mean 1; the darkest corner loses `falloff`."""
    rows, cols = (np.linspace(-1, 1, n, dtype=np.float32) for n in shape)
    turn = np.deg2rad(session.beam_deg + rng.normal(0, constants.turn_deg))
    loss = np.clip(session.falloff * (1 + rng.normal(0, constants.falloff_sd)), 0, 0.85)
    squares = (rows[:, None] - constants.center * np.sin(turn)) ** 2
    squares = squares + (cols[None] - constants.center * np.cos(turn)) ** 2
    light = (1 - loss) ** (squares / squares.max())
    return np.asarray(light / light.mean(), np.float32)
