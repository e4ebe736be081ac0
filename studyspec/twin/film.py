"""The film: amorphous carbon or silicon nitride of slowly varying thickness."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from studyspec.errors import TwinError
from studyspec.twin.constants import Film
from studyspec.twin.materials import CARBON, NITROGEN, SILICON, Element

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
RELIEF_PX = 64
ROUNDS = 8
STEPS = (-1, 0, 1)
NEIGHBOURS = [step for step in product(STEPS, STEPS, STEPS) if step != (0, 0, 0)]
SUPPORTS = ("ultrathin carbon", "silicon nitride")


def make_film(
    support: str, size_A: float, rng: np.random.Generator, constants: Film
) -> dict[Element, Array]:
    """Atoms of a film by element [Å, (N, 3)]; periodic across, from z = 0 downwards in the beam.

    Raises
    ------
    TwinError
        For a film that is not known.
    """
    if support == SUPPORTS[0]:
        shape = _Shape(constants.carbon_nm * 10, constants.carbon_relief, size_A)
        return {CARBON: _atoms(shape, constants.carbon_per_A3, rng, constants)}
    if support == SUPPORTS[1]:
        shape = _Shape(constants.nitride_nm * 10, constants.nitride_relief, size_A)
        atoms = _atoms(shape, constants.nitride_per_A3, rng, constants)
        silicon = rng.permutation(len(atoms)) < len(atoms) * 3 / 7  # Si3N4
        return {SILICON: atoms[silicon], NITROGEN: atoms[~silicon]}
    raise TwinError(f"unknown support '{support}'", hint=f"known: {', '.join(SUPPORTS)}")


@dataclass(frozen=True)
class _Shape:
    """Mean thickness [Å], its relative standard deviation, and the edge of the film [Å]."""

    thickness_A: float
    relief: float
    size_A: float

    def tallest_A(self, constants: Film) -> float:
        return self.thickness_A * min(constants.extremes[1], 1 + 4 * self.relief)


def _atoms(film: _Shape, density: float, rng: np.random.Generator, constants: Film) -> Array:
    """Random atoms that keep their distance, cut at a slowly varying top."""
    tallest_A = film.tallest_A(constants)
    wanted = int(density * film.size_A**2 * tallest_A)
    box = np.array([film.size_A, film.size_A, tallest_A])
    shape = np.maximum(box // constants.shortest_A, 1).astype(int)
    cells = _Cells(shape, box / shape, constants.shortest_A)
    for _ in range(ROUNDS):
        missing = wanted - cells.count
        if missing <= 0:
            break
        cells.add(int(1.3 * missing) + 8, rng)
    atoms = cells.positions()
    atoms = rng.permutation(atoms)[:wanted]
    return atoms[atoms[:, 2] < _top(atoms, film, rng, constants)]


class _Cells:
    """At most one atom in each cell of a box that is periodic across but not along the beam.

    Cells are at least as wide as the shortest distance, so that only neighbours can be too near.
    Each cell keeps where in it its atom lies, in cells; NaN if it has none. A layer that stays
    empty separates the last layer from the first.
    """

    def __init__(self, shape: npt.NDArray[np.int64], edges_A: Array, shortest_A: float) -> None:
        self._edges, self._shortest = edges_A.astype(np.float32), shortest_A
        self._shape = (int(shape[0]), int(shape[1]), int(shape[2]) + 1)
        self._inside = np.full((3, int(np.prod(self._shape))), np.nan, np.float32)

    @property
    def count(self) -> int:
        return int(np.count_nonzero(~np.isnan(self._inside[0])))

    def add(self, n: int, rng: np.random.Generator) -> None:
        """Try `n` new atoms; those in a full cell or too near to others are not kept."""
        rows, cols, depth = self._shape
        places = [rng.integers(0, edge, n) for edge in (rows, cols, depth - 1)]
        where = (places[0] * cols + places[1]) * depth + places[2]
        inside = rng.random((3, n), np.float32)
        free = np.isnan(self._inside[0, where])
        self._inside[:, where[free]] = inside[:, free]
        new = np.zeros(self._inside.shape[1], bool)
        new[where[free]] = True
        chosen = np.flatnonzero(new)
        self._inside[:, chosen[self._crowded(chosen, new)]] = np.nan

    def _crowded(self, chosen: npt.NDArray[np.int64], new: npt.NDArray[np.bool_]) -> Mask:
        """Which new atoms are too near to an old one, or to a new one further on."""
        rows, cols, depth = self._shape
        row, rest = np.divmod(chosen, cols * depth)
        col, layer = np.divmod(rest, depth)
        mine = self._inside[:, chosen]
        crowded = np.zeros(len(chosen), bool)
        for step in NEIGHBOURS:
            there = ((row + step[0]) % rows * cols + (col + step[1]) % cols) * depth
            there += layer + step[2]
            squares = np.zeros(len(chosen), np.float32)
            for axis in range(3):
                apart = self._inside[axis, there] - mine[axis] + np.float32(step[axis])
                squares += (apart * self._edges[axis]) ** 2
            near = squares < self._shortest**2
            crowded |= near if step > (0, 0, 0) else near & ~new[there]
        return crowded

    def positions(self) -> Array:
        """All atoms [Å, (N, 3)]."""
        full = np.flatnonzero(~np.isnan(self._inside[0]))
        where = np.stack(np.unravel_index(full, self._shape), axis=1)
        return np.asarray((where + self._inside[:, full].T) * self._edges, np.float64)


def _top(atoms: Array, film: _Shape, rng: np.random.Generator, constants: Film) -> Array:
    """Thickness of the film at each atom [Å]."""
    from scipy.ndimage import gaussian_filter

    relief = rng.normal(size=(RELIEF_PX, RELIEF_PX))
    sd = RELIEF_PX * constants.relief_length_A / film.size_A
    relief = gaussian_filter(relief, sd, mode="wrap")
    relief = (relief - relief.mean()) / (relief.std() + 1e-9)
    row, col = (atoms[:, :2] / film.size_A * RELIEF_PX).astype(int).T % RELIEF_PX
    part = np.clip(1 + film.relief * relief[row, col], *constants.extremes)
    return np.asarray(film.thickness_A * part)
