"""Materials: crystals of the particles and atoms of the films."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
PLANES = {
    "fcc": np.array([(1, 1, 1), (1, -1, 1), (2, 0, 0), (1, 1, -1)], float),
    "wurtzite": np.array([(0, 0, 1), (1, 0, 0), (0.5, np.sqrt(3) / 2, 0)], float),
}
"""Normals of the planes that may lie along the beam."""
MANY_PLANES = 7
"""Of another crystal, so many planes may lie along the beam: four {111} and three {100} in fcc."""
HIGHEST_INDEX = 4
FAINT = 0.1
"""Planes that scatter less than this share of all electrons in phase show no fringes."""
ALIKE = 1e-3
"""Lengths that differ by less, relatively, are equal."""
Site = tuple[int, tuple[float, float, float]]
FCC = ((0.0, 0.0, 0.0), (0.0, 0.5, 0.5), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0))


@dataclass(frozen=True)
class Element:
    """An element: atomic number and mean-square displacement as a B factor [Å^2]."""

    symbol: str
    number: int
    b_A2: float

    def strayed(self, sd_A: float) -> Element:
        """The element of atoms that stray by this standard deviation [Å] besides."""
        return replace(self, b_A2=self.b_A2 + 8 * np.pi**2 * sd_A**2)

    def heated(self, temperature_K: float) -> Element:
        """The element at another temperature than 293 K: B grows in proportion."""
        return replace(self, b_A2=self.b_A2 * temperature_K / 293)


@dataclass(frozen=True)
class Crystal:
    """A crystal: lattice constants [Å], the structure, and the elements of its sites.

    Lattice constants at 293 K (Wyckoff 1963); B factors (Peng et al. 1996).

    Attributes
    ----------
    structure
        "fcc" and "wurtzite" follow from `a_A` and `c_A`; "other" has a cell and sites of its own.
    vectors
        Of another structure, the cell vectors as rows [Å].
    places
        Of another structure, the number of the element and the fractional coordinates of each atom.
    """

    structure: Literal["fcc", "wurtzite", "other"]
    a_A: float
    elements: tuple[Element, ...]
    c_A: float = 0.0
    vectors: tuple[tuple[float, float, float], ...] = ()
    places: tuple[Site, ...] = ()

    @property
    def cell(self) -> Array:
        """The cell vectors as rows [Å]."""
        if self.structure == "other":
            return np.array(self.vectors)
        if self.structure == "fcc":
            return np.eye(3) * self.a_A
        half, height = self.a_A / 2, self.a_A * np.sqrt(3) / 2
        return np.array([[self.a_A, 0, 0], [-half, height, 0], [0, 0, self.c_A]])

    @property
    def sites(self) -> tuple[Site, ...]:
        """(number of the element, fractional coordinates) of each atom in the cell."""
        if self.structure == "other":
            return self.places
        if self.structure == "fcc":
            return tuple((0, site) for site in FCC)
        return (
            (0, (1 / 3, 2 / 3, 0.0)),
            (0, (2 / 3, 1 / 3, 0.5)),
            (1, (1 / 3, 2 / 3, 0.375)),
            (1, (2 / 3, 1 / 3, 0.875)),
        )

    @property
    def planes(self) -> Array:
        """Normals of low-index planes, (n, 3)."""
        known = PLANES.get(self.structure)
        return widest_planes(self) if known is None else known

    @property
    def axis(self) -> Array:
        """The low-index direction that rods grow along.

        The edge that differs where the other two are equal, as c of hexagonal cells; else the
        shortest one.
        """
        edges = np.linalg.norm(self.cell, axis=1)
        for one, (second, third) in ((2, (0, 1)), (1, (0, 2)), (0, (1, 2))):
            if abs(edges[second] / edges[third] - 1) < ALIKE:
                return np.asarray(self.cell[one] / edges[one])
        return np.asarray(self.cell[edges.argmin()] / edges.min())

    @property
    def cubic(self) -> bool:
        """Whether the cell is a cube."""
        edge = self.cell[0, 0]
        return bool(np.allclose(self.cell, edge * np.eye(3), atol=ALIKE * edge))

    @property
    def atoms_per_A3(self) -> float:
        """Density."""
        return len(self.sites) / float(abs(np.linalg.det(self.cell)))

    @property
    def neighbours_A(self) -> float:
        """Distance of neighbours in face-centred cubic packing."""
        return self.a_A / float(np.sqrt(2))

    @property
    def reach_A(self) -> float:
        """How far from an atom its particle ends: half a lattice constant, or room for one atom."""
        if self.structure == "other":
            return float(self.atoms_per_A3 ** (-1 / 3))
        return self.a_A / 2


@cache
def widest_planes(crystal: Crystal) -> Array:
    """Normals of the planes of largest spacing that diffract, one of each direction; (n, 3).

    They are `MANY_PLANES`, and those as far apart as the last of them. Such planes give the
    fringes of an image, and bound a crystal that grew freely (Bravais, Friedel, Donnay, Harker).
    """
    steps = range(-HIGHEST_INDEX, HIGHEST_INDEX + 1)
    indices = np.array([one for one in product(steps, repeat=3) if one > (0, 0, 0)])
    normals = indices @ np.linalg.inv(crystal.cell).T
    order = np.argsort(np.round(np.linalg.norm(normals, axis=1), 6), kind="stable")
    places = np.array([place for _, place in crystal.sites])
    charges = np.array([crystal.elements[number].number for number, _ in crystal.sites])
    factors = abs(np.exp(2j * np.pi * indices @ places.T) @ charges) / charges.sum()
    found: list[Array] = []
    widths: list[float] = []
    for one in order[factors[order] > FAINT]:
        width = float(np.linalg.norm(normals[one]))
        if len(found) >= MANY_PLANES and width > widths[MANY_PLANES - 1] * (1 + ALIKE):
            break
        unit = normals[one] / width
        if all(abs(unit @ other) < 1 - 1e-6 for other in found):
            found.append(unit)
            widths.append(width)
    return np.array(found)


CRYSTALS: Mapping[str, Crystal] = {
    "Au": Crystal("fcc", 4.078, (Element("Au", 79, 0.60),)),
    "Ag": Crystal("fcc", 4.086, (Element("Ag", 47, 0.75),)),
    "Pt": Crystal("fcc", 3.924, (Element("Pt", 78, 0.37),)),
    "Pd": Crystal("fcc", 3.891, (Element("Pd", 46, 0.45),)),
    "CdSe": Crystal("wurtzite", 4.299, (Element("Cd", 48, 1.2), Element("Se", 34, 1.0)), 7.010),
}
CARBON = Element("C", 6, 1.5)
SILICON = Element("Si", 14, 1.0)
NITROGEN = Element("N", 7, 1.0)


@cache
def scattering_terms(symbol: str) -> tuple[Array, Array]:
    """Amplitudes [Å] and widths [Å^2] of an element's electron scattering factor.

    f(k) = sum a exp(-b k^2 / 4), k in 1/Å (International Tables C, 4.3.2.2, by gemmi).
    """
    import gemmi

    terms = gemmi.Element(symbol).c4322
    return np.array(terms.a), np.array(terms.b)
