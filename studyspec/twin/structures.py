"""Structures: crystals from CIF files, and the text that keeps one in a catalog row.

The text is JSON: the cell [Å, degrees], and the element, fractional coordinates and B factor [Å^2]
of every atom in it. It is all that a simulation needs of the file, and its identity.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from studyspec.errors import TwinError
from studyspec.twin.atoms import lattice
from studyspec.twin.materials import ALIKE, Crystal, Element

if TYPE_CHECKING:
    import gemmi

DEFAULT_B_A2 = 0.6
"""B factor of an atom whose file has none: that of gold at 293 K; most metals have 0.3 to 1."""
MOST_ATOMS = 500
"""A cell of more is refused: a row keeps it, and each image has thousands of rows beside it."""
MOST_EDGE_A = 200.0
LEAST_APART_A = 0.6
"""Two atoms nearer than this are a mistake: the shortest bond, of H2, has 0.74 Å."""
LEAST_PER_A3 = 0.004
"""Fewer atoms are no solid: caesium has 0.0085."""
ORDERED = "write an ordered cell, with one atom on each site"


@dataclass(frozen=True)
class Structure:
    """A crystal from a file: its formula, and the text that a row keeps."""

    formula: str
    text: str


def read_cif(path: Path) -> Structure:
    """The first crystal in a CIF file.

    Raises
    ------
    TwinError
        Naming the file, and the site that is at fault: if it cannot be read, has no atoms or
        sites that are partly occupied, or too large a cell.
    """
    try:
        small = _small_structure(path)
        if not small.sites:
            hint = "expected a CIF file with a cell and _atom_site_fract_x, y and z"
            raise TwinError("no atoms", hint=hint)
        _check_sites(small)
        text = _text(small)
        crystal_of(text)
    except TwinError as error:
        raise TwinError(error.what, where=str(path), hint=error.hint) from None
    return Structure(_formula(small), text)


@lru_cache(maxsize=64)
def crystal_of(text: str) -> Crystal:
    """The crystal that a text tells of; face-centred cubic elements are found out to be such.

    Raises
    ------
    TwinError
        If the text tells of none.
    """
    try:
        told = json.loads(text)
        lengths_angles = tuple(float(number) for number in told["cell"])
        sites = [
            (str(symbol), (float(x), float(y), float(z)), float(b))
            for symbol, x, y, z, b in told["sites"]
        ]
        vectors = _vectors(*lengths_angles)
        elements = {(s, b): _element(s, b) for s, _, b in sites}
    except (ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        hint = "rows with a structure are made by `studyspec catalog simulate --structure`"
        raise TwinError(f"'structure' is no crystal: {error}", hint=hint) from None
    numbers = {one: number for number, one in enumerate(elements)}
    places = tuple((numbers[symbol, b], place) for symbol, place, b in sites)
    found = Crystal(
        "other", lengths_angles[0], tuple(elements.values()), vectors=vectors, places=places
    )
    _check_density(found)
    return _face_centred(found) or found


def _small_structure(path: Path) -> gemmi.SmallStructure:
    """The first block with atoms, with its symmetry understood."""
    import gemmi

    try:
        blocks = gemmi.cif.read_string(path.read_text(errors="replace"))
        chosen = next((b for b in blocks if b.find_values("_atom_site_fract_x")), None)
        if chosen is None:
            return gemmi.SmallStructure()
        small = gemmi.make_small_structure_from_block(chosen)
    except FileNotFoundError:
        raise TwinError("no such file") from None
    except OSError as error:
        raise TwinError(f"cannot be read: {error.strerror}") from None
    except (ValueError, RuntimeError) as error:
        raise TwinError(f"no CIF file: {str(error).splitlines()[0]}") from None
    if not small.cell.is_crystal():
        raise TwinError("no cell", hint="expected _cell_length_a and the other five")
    if small.spacegroup is None and (small.symops or small.spacegroup_hm):
        asked = f"unknown space group '{small.spacegroup_hm}'"
        raise TwinError(asked, hint="write all atoms of the cell, in P 1")
    return small


def _check_sites(small: gemmi.SmallStructure) -> None:
    for site in small.sites:
        if not all(math.isfinite(x) for x in site.fract.tolist()):
            raise TwinError(f"site {site.label} has no place", hint="give its coordinates")
        if abs(site.occ - 1) > ALIKE:
            raise TwinError(f"site {site.label} has the occupancy {site.occ:g}", hint=ORDERED)


def _text(small: gemmi.SmallStructure) -> str:
    """Rounded far below what an image shows, and sorted, so that equal crystals are equal."""
    atoms = small.get_all_unit_cell_sites()
    if len(atoms) > MOST_ATOMS or max(small.cell.parameters[:3]) > MOST_EDGE_A:
        size = f"{len(atoms)} atoms in a cell {max(small.cell.parameters[:3]):.0f} Å long"
        raise TwinError(size, hint=f"{MOST_ATOMS} atoms and {MOST_EDGE_A:.0f} Å at most")
    sites = sorted(
        (site.element.name, *(_within(x) for x in site.fract.tolist()), round(_b_A2(site), 3))
        for site in atoms
    )
    cell = [round(number, 4) for number in small.cell.parameters]
    return json.dumps({"cell": cell, "sites": sites}, separators=(",", ":"))


def _within(x: float) -> float:
    """A fractional coordinate from 0 to 1."""
    return round(x % 1.0, 5) % 1.0


def _b_A2(site: gemmi.SmallStructure.Site) -> float:
    """B = 8 pi^2 U, of U_iso, of the mean of the tensor, or the default."""
    u_A2 = site.u_iso if site.u_iso > 0 else site.aniso.trace() / 3
    return float(8 * np.pi**2 * u_A2) if u_A2 > 0 else DEFAULT_B_A2


def _formula(small: gemmi.SmallStructure) -> str:
    """Elements with their least whole numbers, electropositive ones first, as TiO2."""
    found = Counter(site.element for site in small.get_all_unit_cell_sites())
    least = math.gcd(*found.values())
    order = sorted(found, key=lambda one: _electropositive(one.atomic_number), reverse=True)
    numbers = {one.name: found[one] // least for one in order}
    return "".join(name + (str(n) if n > 1 else "") for name, n in numbers.items())


def _electropositive(number: int) -> tuple[float, int]:
    """Roughly the order of formulas of IUPAC: alkali metals first, halogens last."""
    if number == 1:
        return 2.5, number  # between nitrogen and oxygen
    first = max(one for one in (3, 11, 19, 37, 55, 87, 0) if one <= number)
    last = min(one for one in (2, 10, 18, 36, 54, 86, 118) if one >= number)
    return (40 - (number - first) if number - first < 2 else last - number), number


def _element(symbol: str, b_A2: float) -> Element:
    """An element with a tabulated scattering factor."""
    import gemmi

    found = gemmi.Element(symbol)
    number = found.atomic_number
    if number < 1 or found.c4322 is None:
        raise TwinError(f"nothing is known of the element '{symbol}'", hint="elements 1 to 98 are")
    if not 0 <= b_A2 < math.inf:
        raise ValueError(f"a B factor of {b_A2}")
    return Element(symbol, number, b_A2)


def _vectors(
    a: float, b: float, c: float, alpha: float, beta: float, gamma: float
) -> tuple[tuple[float, float, float], ...]:
    """Cell vectors as rows [Å]: a along x, b in the plane of x and y."""
    x, y, z = (math.cos(math.radians(angle)) for angle in (alpha, beta, gamma))
    sine = math.sin(math.radians(gamma))
    rise = (x - y * z) / sine
    up = 1 - y**2 - rise**2
    if min(a, b, c) <= 0 or up <= 0:
        raise ValueError("its cell has no volume")
    # Right angles exactly: a cosine of 90 degrees is 6e-17.
    rows = ((a, 0.0, 0.0), (b * z, b * sine, 0.0), (c * y, c * rise, c * math.sqrt(up)))
    (r0, r1, r2) = ((round(p, 9), round(q, 9), round(r, 9)) for p, q, r in rows)
    return (r0, r1, r2)


def _check_density(crystal: Crystal) -> None:
    if not crystal.sites or crystal.atoms_per_A3 < LEAST_PER_A3:
        raise TwinError(
            f"{len(crystal.sites)} atoms in {abs(np.linalg.det(crystal.cell)):.0f} Å^3",
            hint="that is no solid: are atoms missing?",
        )
    near = _nearest_A(crystal)
    if near < LEAST_APART_A:
        raise TwinError(f"two atoms are {near:.2f} Å apart", hint=ORDERED)


def _nearest_A(crystal: Crystal) -> float:
    """The shortest distance of two atoms, in fractions shorter than half a cell."""
    places = np.array([place for _, place in crystal.sites])
    around = np.array(list(np.ndindex(3, 3, 3))) - 1
    least = math.inf
    for number, place in enumerate(places):
        apart = (places[number:] - place)[:, None] + around
        squares = ((apart @ crystal.cell) ** 2).sum(axis=2)
        squares[0, len(around) // 2] = math.inf  # itself
        least = min(least, float(squares.min()))
    return math.sqrt(least)


def _face_centred(crystal: Crystal) -> Crystal | None:
    """The crystal as a face-centred cubic one if it is that of an element, in whatever cell.

    Then every atom has twelve neighbours at the distance that the density says, in opposite pairs.
    """
    if len({element.symbol for element in crystal.elements}) > 1:
        return None
    expected_A = float((np.sqrt(2) / crystal.atoms_per_A3) ** (1 / 3))
    longest_A = float(np.linalg.norm(crystal.cell, axis=1).sum())
    points, _ = lattice(crystal, longest_A + 2 * expected_A)
    for _, place in crystal.sites:
        apart = points - np.array(place) @ crystal.cell
        distances = np.linalg.norm(apart, axis=1)
        near = apart[(distances > 1e-3) & (distances < 1.2 * expected_A)]
        if len(near) != 12 or np.ptp(np.linalg.norm(near, axis=1)) > 0.01 * expected_A:
            return None
        opposite = np.linalg.norm(near[:, None] + near, axis=2).min(axis=1)
        if opposite.max() > 0.01 * expected_A:
            return None
    mean = sum(crystal.elements[number].b_A2 for number, _ in crystal.sites) / len(crystal.sites)
    first = crystal.elements[0]
    element = Element(first.symbol, first.number, mean)
    return Crystal("fcc", expected_A * float(np.sqrt(2)), (element,))
