"""Orientation: how a particle's lattice lies to the beam, which goes along z."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from studyspec.twin.constants import Particles

Array = npt.NDArray[np.float64]


def drawn(planes: Array, rng: np.random.Generator, constants: Particles) -> Array:
    """A rotation: uniform, or with one of these planes' normals (n, 3) nearly across the beam."""
    uniform = _of_quaternion(rng.normal(size=4))
    if rng.random() >= constants.aligned:
        return uniform
    return across(planes[rng.integers(len(planes))], rng, constants)


def across(direction: Array, rng: np.random.Generator, constants: Particles) -> Array:
    """A rotation that lays a direction nearly across the beam, else at random."""
    tilt = np.pi / 2 + rng.normal(0, np.deg2rad(constants.tilt_deg))
    first, last = rng.uniform(0, 2 * np.pi, 2)
    return _about_z(last) @ _about_x(tilt) @ _about_z(first) @ onto_z(direction)


def onto_z(direction: Array) -> Array:
    """The shortest rotation that takes a direction to +z (Rodrigues)."""
    unit = direction / np.linalg.norm(direction)
    axis, cosine = np.cross(unit, [0, 0, 1]), unit[2]
    if np.linalg.norm(axis) < 1e-9:
        return np.diag([1.0, np.sign(cosine), np.sign(cosine)])
    x, y, z = axis
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + skew + skew @ skew / (1 + cosine))


def _of_quaternion(q: Array) -> Array:
    w, x, y, z = q / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def _about_z(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def _about_x(angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
