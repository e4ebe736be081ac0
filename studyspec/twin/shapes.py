"""Shapes: particles of a known outline and inner structure, in place of the mixture that is drawn.

Each is one crystal, or twins of one, and has the volume of the sphere of the nominal diameter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations, product
from typing import Literal

import numpy as np
import numpy.typing as npt

from studyspec.twin import orientation
from studyspec.twin.atoms import Array, Particle, lattice
from studyspec.twin.constants import Particles
from studyspec.twin.materials import Crystal

Make = Callable[[Crystal, float, np.random.Generator, Particles], Particle]
Needs = Literal["", "cubic", "fcc"]

ASPECT = 3.0
"""Length of a rod with its caps over its width; a choice: short gold rods have 2 to 5."""
GAP_A = 3.0
"""Least gap of particles of a known shape [Å], which do not fuse: about a contact of atoms."""
OCTAHEDRON = np.array(list(product((1, -1), repeat=3))) / np.sqrt(3)
CUBE = np.vstack([np.eye(3), -np.eye(3)])
GOLDEN = (1 + np.sqrt(5)) / 2


@dataclass(frozen=True)
class Shape:
    """One shape.

    Attributes
    ----------
    make
        A particle of a crystal and a diameter [Å].
    reach
        Distance of its farthest corner from its middle, in radii of the sphere of its volume.
    needs
        "cubic": a cubic cell; "fcc": one element in face-centred cubic packing; "": any crystal.
    """

    make: Make
    reach: float
    needs: Needs = ""

    def impossible(self, crystal: Crystal) -> str:
        """Why a crystal cannot have this shape; empty if it can."""
        if self.needs == "fcc" and crystal.structure != "fcc":
            return "it is made of twins of one element in face-centred cubic packing"
        if self.needs == "cubic" and not crystal.cubic:
            return "its facets are those of a cubic crystal"
        return ""


def sphere(
    crystal: Crystal, diameter_A: float, rng: np.random.Generator, constants: Particles
) -> Particle:
    """All sites within a radius of a random point of the cell."""
    positions, elements = _sites(crystal, diameter_A / 2, rng)
    inside = (positions**2).sum(1) < (diameter_A / 2) ** 2
    return _turned(positions[inside], elements[inside], crystal.planes, rng, constants)


def truncated_octahedron(
    crystal: Crystal, diameter_A: float, rng: np.random.Generator, constants: Particles
) -> Particle:
    """Eight hexagons {111} and six squares {100} with equal edges.

    An edge e gives the volume 8 sqrt(2) e^3; hexagons lie at sqrt(3/2) e, squares at sqrt(2) e.
    """
    edge = (np.pi / (48 * np.sqrt(2))) ** (1 / 3) * diameter_A
    positions, elements = _sites(crystal, diameter_A / 2, rng)
    inside = np.all(positions @ OCTAHEDRON.T < np.sqrt(3 / 2) * edge, axis=1)
    inside &= np.all(positions @ CUBE.T < np.sqrt(2) * edge, axis=1)
    return _turned(positions[inside], elements[inside], crystal.planes, rng, constants)


def decahedron(
    crystal: Crystal, diameter_A: float, rng: np.random.Generator, constants: Particles
) -> Particle:
    """Five fcc grains about a common <110> axis (Ino 1966), of the nearest whole shells."""
    positions = decahedron_atoms(crystal.neighbours_A, _shells(crystal, diameter_A))
    angles = np.arange(5) * 2 * np.pi / 5
    twins = np.stack([-np.sin(angles), np.cos(angles), np.zeros(5)], axis=1)
    return _turned(positions, _one_element(positions), twins, rng, constants)


def icosahedron(
    crystal: Crystal, diameter_A: float, rng: np.random.Generator, constants: Particles
) -> Particle:
    """Twenty strained fcc tetrahedra about one atom (Mackay 1962), of the nearest whole shells."""
    positions = icosahedron_atoms(crystal.neighbours_A, _shells(crystal, diameter_A))
    corners, faces = _icosahedron()
    normals = np.array([corners[list(face)].sum(axis=0) for face in faces])
    return _turned(positions, _one_element(positions), normals, rng, constants)


def rod(
    crystal: Crystal, diameter_A: float, rng: np.random.Generator, constants: Particles
) -> Particle:
    """A cylinder with round caps along a low-index axis, `ASPECT` as long as wide, lying flat."""
    width = diameter_A / (1 + 1.5 * (ASPECT - 1)) ** (1 / 3)
    straight = (ASPECT - 1) * width / 2
    positions, elements = _sites(crystal, straight + width / 2, rng)
    positions = positions @ orientation.onto_z(crystal.axis).T
    beyond = np.maximum(abs(positions[:, 2]) - straight, 0)
    inside = (positions[:, :2] ** 2).sum(1) + beyond**2 < width**2 / 4
    flat = orientation.across(np.array([0.0, 0.0, 1.0]), rng, constants)
    return Particle(positions[inside] @ flat.T, elements[inside])


def decahedron_atoms(neighbours_A: float, shells: int) -> Array:
    """An Ino decahedron whose square facets have `shells` steps along an edge; (N, 3) [Å].

    The axis is z. In each grain, rows of atoms along the axis lie at i u + j v, where u and v are
    in its twin planes; of 70.5 degrees between these in fcc, 72 are made at the same density.
    """
    angle = 2 * np.pi / 5
    # Rows in a {111} plane lie sqrt(3)/2 apart; the rhombus of u and v keeps its area.
    step = neighbours_A * np.sqrt(3) / 2 * np.sqrt(np.sin(2 * np.arctan(np.sqrt(0.5))))
    step /= np.sqrt(np.sin(angle))
    found = [_row(np.zeros(2), 2 * shells, neighbours_A)]
    for grain in range(5):
        u, v = (
            step * np.array([np.cos(a), np.sin(a)]) for a in (grain * angle, (grain + 1) * angle)
        )
        for outward in range(1, shells + 1):
            for j in range(outward):  # those at i = 0 are the next grain's
                place = (outward - j) * u + j * v
                found.append(_row(place, 2 * shells - outward, neighbours_A))
    return np.concatenate(found)


def icosahedron_atoms(neighbours_A: float, shells: int) -> Array:
    """A Mackay icosahedron of so many shells about one atom; (N, 3) [Å].

    Distances within a shell are 5 % longer than those between shells; both are made so that the
    density is that of fcc: 3/10 of the volume 5 (3 + sqrt(5)) e^3 / 12 for each atom.
    """
    corners, faces = _icosahedron()
    per_atom = 5 * (3 + np.sqrt(5)) / 12 * 3 / 10
    edge = neighbours_A * (np.sqrt(0.5) / per_atom) ** (1 / 3)
    radius = edge * np.sin(2 * np.pi / 5)
    points = {(0.0, 0.0, 0.0)}
    for n in range(1, shells + 1):
        parts = np.array([(a, b, n - a - b) for a in range(n + 1) for b in range(n + 1 - a)])
        for face in faces:
            there = np.round(parts @ corners[list(face)], 9) + 0.0
            points.update(map(tuple, there.tolist()))
    return np.asarray(radius * np.array(sorted(points)))


SHAPES: Mapping[str, Shape] = {
    "smooth sphere": Shape(sphere, 1.0),
    "truncated octahedron": Shape(truncated_octahedron, 1.14, "cubic"),
    "decahedron": Shape(decahedron, 1.22, "fcc"),
    "icosahedron": Shape(icosahedron, 1.19, "fcc"),
    "rod": Shape(rod, ASPECT / (1 + 1.5 * (ASPECT - 1)) ** (1 / 3)),
}
"""Shapes by the word in the catalog's column `shape`."""


def _sites(
    crystal: Crystal, radius_A: float, rng: np.random.Generator
) -> tuple[Array, npt.NDArray[np.int64]]:
    """The lattice about a random point of its cell."""
    cell = crystal.cell
    positions, elements = lattice(crystal, radius_A + float(np.linalg.norm(cell.sum(axis=0))))
    return positions - rng.random(3) @ cell, elements


def _turned(
    positions: Array,
    elements: npt.NDArray[np.int64],
    planes: Array,
    rng: np.random.Generator,
    constants: Particles,
) -> Particle:
    return Particle(positions @ orientation.drawn(planes, rng, constants).T, elements)


def _one_element(positions: Array) -> npt.NDArray[np.int64]:
    return np.zeros(len(positions), np.int64)


def _shells(crystal: Crystal, diameter_A: float) -> int:
    """The whole shells whose atoms fill the volume best: 13, 55, 147, 309 ... of them."""
    wanted = np.pi / 6 * diameter_A**3 * crystal.atoms_per_A3
    most = int(np.ceil((0.3 * wanted) ** (1 / 3))) + 1
    n = np.arange(1, most + 1)
    atoms = (10 * n**3 + 15 * n**2 + 11 * n + 3) / 3
    return int(n[np.argmin(abs(np.log(atoms / wanted)))])


def _row(place: Array, steps: int, distance_A: float) -> Array:
    """Atoms along z, centred."""
    z = (np.arange(steps + 1) - steps / 2) * distance_A
    return np.column_stack([np.broadcast_to(place, (len(z), 2)), z])


def _icosahedron() -> tuple[Array, list[tuple[int, int, int]]]:
    """Twelve corners at distance 1, and the corners of each of twenty faces."""
    flat = [(0.0, a, b * GOLDEN) for a in (-1, 1) for b in (-1, 1)]
    corners = np.array([np.roll(one, turn) for turn in range(3) for one in flat])
    corners /= np.linalg.norm(corners[0])
    near = corners @ corners.T > 0.4  # neighbours have 1 / sqrt(5)
    faces = [
        (i, j, k)
        for i, j, k in combinations(range(12), 3)
        if near[i, j] and near[j, k] and near[i, k]
    ]
    return corners, faces
