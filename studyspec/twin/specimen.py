"""The specimen: faceted particles with twins and random orientations, resting on a film.

Rows may ask for a shape instead, which `shapes` makes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from studyspec.twin import orientation
from studyspec.twin.atoms import Array, Particle, lattice
from studyspec.twin.constants import Particles
from studyspec.twin.materials import Crystal
from studyspec.twin.shapes import CUBE, OCTAHEDRON


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
            mine &= hull.query(grain.positions, distance_upper_bound=crystal.reach_A)[0] < np.inf
        positions.append(grain.positions[mine])
        elements.append(grain.elements[mine])
    return Particle(np.concatenate(positions), np.concatenate(elements))


def _grain(
    crystal: Crystal, diameter_A: float, rng: np.random.Generator, constants: Particles
) -> Particle:
    radius = diameter_A / 2
    positions, elements = lattice(crystal, radius)
    positions = positions - rng.uniform(-2, 2, 3)
    if crystal.structure == "fcc":
        inside = _truncated_octahedron(positions, radius, rng, constants)
        if rng.random() < constants.twinned:
            positions, inside = _twinned(positions, inside, crystal.a_A)
            elements = np.zeros(len(positions), np.int64)
    elif crystal.structure == "wurtzite":
        inside = _ellipsoid(positions, radius, rng)
    else:
        inside = _faceted(positions, radius, crystal.planes, rng, constants)
    rotation = orientation.drawn(crystal.planes, rng, constants)
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
    if not len(particle.positions):
        return particle
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


def _faceted(
    positions: Array, radius: float, planes: Array, rng: np.random.Generator, constants: Particles
) -> npt.NDArray[np.bool_]:
    """Facets on both sides of these planes, as the {111} ones of gold, and a sphere around."""
    inside = (positions**2).sum(1) < (constants.roundness * radius) ** 2
    for normal in np.concatenate([planes, -planes]):
        inside &= positions @ normal < radius * rng.uniform(*constants.octahedral)
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
