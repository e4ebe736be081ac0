"""Materials: crystals of the particles and atoms of the films."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
PLANES = {
    "fcc": np.array([(1, 1, 1), (1, -1, 1), (2, 0, 0), (1, 1, -1)], float),
    "wurtzite": np.array([(0, 0, 1), (1, 0, 0), (0.5, np.sqrt(3) / 2, 0)], float),
}
"""Normals of the planes that may lie along the beam."""
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
    """

    structure: Literal["fcc", "wurtzite"]
    a_A: float
    elements: tuple[Element, ...]
    c_A: float = 0.0

    @property
    def cell(self) -> Array:
        """The cell vectors as rows [Å]."""
        if self.structure == "fcc":
            return np.eye(3) * self.a_A
        half, height = self.a_A / 2, self.a_A * np.sqrt(3) / 2
        return np.array([[self.a_A, 0, 0], [-half, height, 0], [0, 0, self.c_A]])

    @property
    def sites(self) -> tuple[tuple[int, tuple[float, float, float]], ...]:
        """(number of the element, fractional coordinates) of each atom in the cell."""
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
        return PLANES[self.structure]

    @property
    def axis(self) -> Array:
        """A low-index direction that rods grow along: [001]."""
        return np.array([0.0, 0.0, 1.0])

    @property
    def cubic(self) -> bool:
        """Whether the cell is a cube."""
        return self.structure == "fcc"

    @property
    def atoms_per_A3(self) -> float:
        """Density."""
        return len(self.sites) / float(abs(np.linalg.det(self.cell)))

    @property
    def neighbours_A(self) -> float:
        """Distance of neighbours in face-centred cubic packing."""
        return self.a_A / float(np.sqrt(2))


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
