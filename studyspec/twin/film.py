"""The film: amorphous carbon or silicon nitride of slowly varying thickness."""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt

from studyspec.errors import TwinError
from studyspec.twin.constants import Film
from studyspec.twin.materials import CARBON, NITROGEN, SILICON, Element

Array = npt.NDArray[np.float64]
RELIEF_PX = 64
ROUNDS = 8
STEPS = (-1, 0, 1)
HALF_OF_NEIGHBOURS = [s for s in product(STEPS, STEPS, STEPS) if s > (0, 0, 0)]
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
        thickness, density = constants.carbon_nm * 10, constants.carbon_per_A3
        return {CARBON: _atoms(size_A, thickness, density, rng, constants)}
    if support == SUPPORTS[1]:
        thickness, density = constants.nitride_nm * 10, constants.nitride_per_A3
        atoms = _atoms(size_A, thickness, density, rng, constants)
        silicon = rng.permutation(len(atoms)) < len(atoms) * 3 / 7  # Si3N4
        return {SILICON: atoms[silicon], NITROGEN: atoms[~silicon]}
    raise TwinError(f"unknown support '{support}'", hint=f"known: {', '.join(SUPPORTS)}")


def _atoms(
    size_A: float, thickness_A: float, density: float, rng: np.random.Generator, constants: Film
) -> Array:
    """Random atoms that keep their distance, cut at a slowly varying top."""
    wanted = int(density * size_A**2 * thickness_A)
    box = np.array([size_A, size_A, thickness_A])
    shape = np.maximum(box // constants.shortest_A, 1).astype(int)
    cells = _Cells(shape, box / shape, constants.shortest_A)
    for _ in range(ROUNDS):
        missing = wanted - cells.count
        if missing <= 0:
            break
        cells.add(int(1.3 * missing) + 8, rng)
    atoms = cells.positions()
    atoms = rng.permutation(atoms)[:wanted]
    return atoms[atoms[:, 2] < _top(atoms, size_A, thickness_A, rng, constants)]


class _Cells:
    """At most one atom in each cell of a box that is periodic across but not along the beam.

    Cells are at least as wide as the shortest distance, so that only neighbours can be too near.
    Each cell keeps where in it its atom lies, in cells; NaN if it has none.
    """

    def __init__(self, shape: npt.NDArray[np.int64], edges_A: Array, shortest_A: float) -> None:
        self._edges, self._shortest = edges_A, shortest_A
        self._shape = shape
        self._inside = np.full((3, shape[0], shape[1], shape[2] + 1), np.nan, np.float32)

    @property
    def count(self) -> int:
        return int(np.count_nonzero(~np.isnan(self._inside[0])))

    def add(self, n: int, rng: np.random.Generator) -> None:
        """Try `n` new atoms; those in a full cell or too near to others are not kept."""
        rows, cols, layers = (rng.integers(0, edge, n) for edge in self._shape)
        inside = rng.random((3, n), np.float32)
        free = np.isnan(self._inside[0, rows, cols, layers])
        rows, cols, layers, inside = rows[free], cols[free], layers[free], inside[:, free]
        new = np.zeros(self._inside.shape[1:], bool)
        new[rows, cols, layers] = True
        self._inside[:, rows, cols, layers] = inside
        dropped = np.zeros_like(new)
        for step in HALF_OF_NEIGHBOURS:
            near = self._near(step)
            theirs = np.roll(new, [-s for s in step], (0, 1, 2))
            dropped |= near & new
            dropped |= np.roll(near & theirs & ~new, step, (0, 1, 2))
        self._inside[:, dropped] = np.nan

    def _near(self, step: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
        """Whose neighbour at this step is too near."""
        squares = np.zeros(self._inside.shape[1:], np.float32)
        back = [-s for s in step]
        for axis in range(3):
            apart = np.roll(self._inside[axis], back, (0, 1, 2)) - self._inside[axis]
            apart += step[axis]
            squares += (apart * np.float32(self._edges[axis])) ** 2
        return squares < self._shortest**2

    def positions(self) -> Array:
        """All atoms [Å, (N, 3)]."""
        where = np.argwhere(~np.isnan(self._inside[0]))
        return (where + self._inside[:, *where.T].T) * self._edges


def _top(
    atoms: Array, size_A: float, thickness_A: float, rng: np.random.Generator, constants: Film
) -> Array:
    """Thickness of the film at each atom [Å]."""
    from scipy.ndimage import gaussian_filter

    relief = rng.normal(size=(RELIEF_PX, RELIEF_PX))
    relief = gaussian_filter(relief, RELIEF_PX * constants.relief_length_A / size_A, mode="wrap")
    relief = (relief - relief.mean()) / (relief.std() + 1e-9)
    row, col = (atoms[:, :2] / size_A * RELIEF_PX).astype(int).T % RELIEF_PX
    part = 1 - constants.relief + constants.relief * 0.5 * relief[row, col]
    return np.asarray(np.clip(thickness_A * part, 0.3 * thickness_A, thickness_A))
