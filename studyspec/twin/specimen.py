"""The specimen: faceted particles with twins and random orientations, resting on a film."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from studyspec.twin.constants import Particles
from studyspec.twin.materials import Crystal

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]
OCTAHEDRON = np.array(list(product((1, -1), repeat=3))) / np.sqrt(3)
CUBE = np.vstack([np.eye(3), -np.eye(3)])
PLANES = {
    "fcc": np.array([(1, 1, 1), (1, -1, 1), (2, 0, 0), (1, 1, -1)], float),
    "wurtzite": np.array([(0, 0, 1), (1, 0, 0), (0.5, np.sqrt(3) / 2, 0)], float),
}


@dataclass(frozen=True)
class Particle:
    """Atoms of one particle [Å, (N, 3)], centred, and the number of each one's element."""

    positions: Array
    elements: Numbers


def make_particle(
    crystal: Crystal, diameter_A: float, rng: np.random.Generator, constants: Particles
) -> Particle:
    """A particle of random facets and orientation, of one grain or of several.

    Grains meet in the planes halfway between random points of the particle.
    """
    if rng.random() >= constants.grained:
        return _grain(crystal, diameter_A, rng, constants)
    outside = _grain(crystal, diameter_A, rng, constants)
    n = int(rng.integers(2, constants.grains + 1))
    middles = rng.uniform(-0.25, 0.25, (n, 3)) * diameter_A
    hull = cKDTree(outside.positions)
    positions, elements = [], []
    for number in range(n):
        grain = outside if number == 0 else _grain(crystal, 1.1 * diameter_A, rng, constants)
        distances = ((grain.positions[:, None] - middles) ** 2).sum(axis=2)
        mine = distances.argmin(axis=1) == number
        if number > 0:
            mine &= hull.query(grain.positions, distance_upper_bound=crystal.a_A / 2)[0] < np.inf
        positions.append(grain.positions[mine])
        elements.append(grain.elements[mine])
    return Particle(np.concatenate(positions), np.concatenate(elements))


def _grain(
    crystal: Crystal, diameter_A: float, rng: np.random.Generator, constants: Particles
) -> Particle:
    radius = diameter_A / 2
    positions, elements = _lattice(crystal, radius)
    positions = positions - rng.uniform(-2, 2, 3)
    if crystal.structure == "fcc":
        inside = _truncated_octahedron(positions, radius, rng, constants)
        if rng.random() < constants.twinned:
            positions, inside = _twinned(positions, inside, crystal.a_A)
            elements = np.zeros(len(positions), np.int64)
    else:
        inside = _ellipsoid(positions, radius, rng)
    rotation = _orientation(crystal, rng, constants)
    return Particle(positions[inside] @ rotation.T, elements[inside])


def rest(particle: Particle, disc: Array, discs: Array) -> Particle:
    """A particle at its disc's place, resting on z = 0, cut where it has grown into others.

    Parameters
    ----------
    particle
        Centred on the origin.
    disc, discs
        Row, column and diameter [Å] of this particle, and of all of them, (n, 3).
    """
    positions = particle.positions + np.array([disc[0], disc[1], 0.0])
    positions[:, 2] -= positions[:, 2].max()
    keep = np.ones(len(positions), bool)
    away = np.hypot(*(discs[:, :2] - disc[:2]).T)
    for other in discs[(away > 0) & (away < (discs[:, 2] + disc[2]) * 0.6)]:
        # The plane of equal power: where two spheres of these diameters meet.
        mine, theirs = (
            ((positions[:, :2] - one[:2]) ** 2).sum(1) - one[2] ** 2 / 4 for one in (disc, other)
        )
        keep &= mine < theirs
    return Particle(positions[keep], particle.elements[keep])


def _lattice(crystal: Crystal, radius: float) -> tuple[Array, Numbers]:
    """All lattice sites within somewhat more than a radius, with their elements."""
    shortest = float(np.linalg.norm(crystal.cell, axis=1).min())
    n = int(np.ceil(radius / (shortest * 0.85))) + 2
    steps = np.arange(-n, n + 1)
    cells = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3)
    positions, elements = [], []
    for element, site in crystal.sites:
        points = (cells + np.array(site)) @ crystal.cell
        points = points[(points**2).sum(1) < (1.25 * radius) ** 2]
        positions.append(points)
        elements.append(np.full(len(points), element))
    return np.concatenate(positions), np.concatenate(elements)


def _truncated_octahedron(
    positions: Array, radius: float, rng: np.random.Generator, constants: Particles
) -> npt.NDArray[np.bool_]:
    """Facets {111} and {100}, each at its own distance, with edges and corners cut by a sphere."""
    inside = (positions**2).sum(1) < (constants.roundness * radius) ** 2
    for normal in OCTAHEDRON:
        inside &= positions @ normal < radius * rng.uniform(*constants.octahedral)
    for normal in CUBE:
        inside &= positions @ normal < radius * rng.uniform(*constants.cubic)
    return np.asarray(inside)


def _twinned(
    positions: Array, inside: npt.NDArray[np.bool_], a_A: float
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """The lower half and its mirror image in the (111) plane through the middle."""
    normal = OCTAHEDRON[0]
    middle = positions[np.argmin((positions**2).sum(1))] @ normal
    height = positions @ normal - middle
    tolerance = 1e-3 * a_A
    below = height < -tolerance
    mirrored = positions[below] - 2 * np.outer(height[below], normal)
    keep = height <= tolerance
    return np.concatenate([positions[keep], mirrored]), np.concatenate(
        [inside[keep], inside[below]]
    )


def _ellipsoid(positions: Array, radius: float, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Oblong particles: somewhat thinner across the c axis, somewhat longer along it."""
    across, along = radius * rng.uniform(0.85, 1.0), radius * rng.uniform(1.0, 1.15)
    scaled = positions / (across, across, along)
    return np.asarray((scaled**2).sum(1) < 1)


def _orientation(crystal: Crystal, rng: np.random.Generator, constants: Particles) -> Array:
    """A rotation: uniform, or with a low-index plane nearly along the beam."""
    uniform = _rotation_of_quaternion(rng.normal(size=4))
    if rng.random() >= constants.aligned:
        return uniform
    planes = PLANES[crystal.structure]
    normal = planes[rng.integers(len(planes))]
    tilt = np.pi / 2 + rng.normal(0, np.deg2rad(constants.tilt_deg))
    first, last = rng.uniform(0, 2 * np.pi, 2)
    return _about_z(last) @ _about_x(tilt) @ _about_z(first) @ _onto_z(normal)


def _rotation_of_quaternion(q: Array) -> Array:
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


def _onto_z(direction: Array) -> Array:
    """The shortest rotation that takes a direction to +z (Rodrigues)."""
    unit = direction / np.linalg.norm(direction)
    axis, cosine = np.cross(unit, [0, 0, 1]), unit[2]
    if np.linalg.norm(axis) < 1e-9:
        return np.diag([1.0, np.sign(cosine), np.sign(cosine)])
    x, y, z = axis
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + skew + skew @ skew / (1 + cosine))
