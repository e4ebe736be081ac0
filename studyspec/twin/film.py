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
    top = _Top.of(film, rng, constants)
    wanted = int(density * film.size_A**2 * top.heights_A.mean())
    box = np.array([film.size_A, film.size_A, film.tallest_A(constants)])
    shape = np.maximum(box // constants.shortest_A, 1).astype(int)
    cells = _Cells(shape, box / shape, constants.shortest_A)
    filled = wanted / (density * box.prod())
    for _ in range(ROUNDS):
        missing = wanted - cells.count
        if missing <= 0:
            break
        cells.add(int(1.3 * missing / filled) + 8, top, rng)
    atoms = cells.positions()
    return atoms if len(atoms) <= wanted else atoms[rng.permutation(len(atoms))[:wanted]]


@dataclass(frozen=True)
class _Top:
    """Thickness of the film on a coarse grid across it [Å, (n, n)]."""

    heights_A: Array

    @classmethod
    def of(cls, film: _Shape, rng: np.random.Generator, constants: Film) -> _Top:
        """Draw it: slowly varying, and periodic."""
        from scipy.ndimage import gaussian_filter

        relief = rng.normal(size=(RELIEF_PX, RELIEF_PX))
        sd = RELIEF_PX * constants.relief_length_A / film.size_A
        relief = gaussian_filter(relief, sd, mode="wrap")
        relief = (relief - relief.mean()) / (relief.std() + 1e-9)
        return cls(film.thickness_A * np.clip(1 + film.relief * relief, *constants.extremes))

    def at(self, rows: Array, cols: Array) -> Array:
        """At places that count from 0 to 1 across the film."""
        n = len(self.heights_A)
        row, col = ((place * n).astype(int) % n for place in (rows, cols))
        return np.asarray(self.heights_A[row, col])


class _Cells:
    """At most one atom in each cell of a box that is periodic across but not along the beam.

    Cells are at least as wide as the shortest distance, so that only neighbours can be too near.
    Each cell knows whether it is full, and where in it its atom lies, in cells. A layer that stays
    empty separates the last layer from the first.
    """

    def __init__(self, shape: npt.NDArray[np.int64], edges_A: Array, shortest_A: float) -> None:
        self._edges, self._shortest = edges_A.astype(np.float32), shortest_A
        self._shape = (int(shape[0]), int(shape[1]), int(shape[2]) + 1)
        n = int(np.prod(self._shape))
        self._full, self._inside = np.zeros(n, bool), np.empty((3, n), np.float32)

    @property
    def count(self) -> int:
        return int(np.count_nonzero(self._full))

    def add(self, n: int, top: _Top, rng: np.random.Generator) -> None:
        """Try `n` new atoms; those above the top, in a full cell or too near are not kept."""
        rows, cols, depth = self._shape
        row, col, layer = (rng.integers(0, edge, n) for edge in (rows, cols, depth - 1))
        inside = rng.random((3, n), np.float32)
        where = (row * cols + col) * depth + layer
        height_A = (layer + inside[2]) * self._edges[2]
        kept = height_A < top.at((row + inside[0]) / rows, (col + inside[1]) / cols)
        kept &= ~self._full[where]
        self._inside[:, where[kept]] = inside[:, kept]
        new = np.zeros(len(self._full), bool)
        new[where[kept]] = True
        chosen = np.flatnonzero(new)
        crowded = self._crowded(chosen, new)
        self._full[chosen[~crowded]] = True

    def _crowded(self, chosen: npt.NDArray[np.int64], new: npt.NDArray[np.bool_]) -> Mask:
        """Which new atoms are too near to an old one, or to a new one further on."""
        rows, cols, depth = self._shape
        row, rest = np.divmod(chosen, cols * depth)
        col, layer = np.divmod(rest, depth)
        either = self._full | new
        crowded = np.zeros(len(chosen), bool)
        for step in NEIGHBOURS:
            there = ((row + step[0]) % rows * cols + (col + step[1]) % cols) * depth
            there += layer + step[2]
            beside = np.flatnonzero((either if step > (0, 0, 0) else self._full)[there] & ~crowded)
            there, mine = there[beside], chosen[beside]
            squares = np.zeros(len(beside), np.float32)
            for axis in range(3):
                apart = self._inside[axis, there] - self._inside[axis, mine]
                squares += ((apart + np.float32(step[axis])) * self._edges[axis]) ** 2
            crowded[beside] = squares < self._shortest**2
        return crowded

    def positions(self) -> Array:
        """All atoms [Å, (N, 3)]."""
        full = np.flatnonzero(self._full)
        where = np.stack(np.unravel_index(full, self._shape), axis=1)
        return np.asarray((where + self._inside[:, full].T) * self._edges, np.float64)
