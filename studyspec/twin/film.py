"""The film: amorphous carbon or silicon nitride of slowly varying thickness."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from studyspec.errors import TwinError
from studyspec.twin.constants import Film
from studyspec.twin.materials import CARBON, NITROGEN, SILICON, Element

Array = npt.NDArray[np.float64]
RELIEF_PX = 64
ROUNDS = 6
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
    box = np.array([size_A, size_A, 4 * thickness_A])  # tall: periodic across alone
    atoms = np.empty((0, 3))
    for _ in range(ROUNDS):
        missing = wanted - len(atoms)
        if missing <= 0:
            break
        new = rng.random((int(1.5 * missing) + 8, 3)) * (size_A, size_A, thickness_A)
        atoms = np.concatenate([atoms, new])
        pairs = cKDTree(atoms, boxsize=box).query_pairs(constants.shortest_A, output_type="ndarray")
        keep = np.ones(len(atoms), bool)
        keep[pairs.max(axis=1)] = False
        atoms = atoms[keep][:wanted]
    return atoms[atoms[:, 2] < _top(atoms, size_A, thickness_A, rng, constants)]


def _top(
    atoms: Array, size_A: float, thickness_A: float, rng: np.random.Generator, constants: Film
) -> Array:
    """Thickness of the film at each atom [Å]."""
    relief = rng.normal(size=(RELIEF_PX, RELIEF_PX))
    relief = gaussian_filter(relief, RELIEF_PX * constants.relief_length_A / size_A, mode="wrap")
    relief = (relief - relief.mean()) / (relief.std() + 1e-9)
    row, col = (atoms[:, :2] / size_A * RELIEF_PX).astype(int).T % RELIEF_PX
    part = 1 - constants.relief + constants.relief * 0.5 * relief[row, col]
    return np.asarray(np.clip(thickness_A * part, 0.3 * thickness_A, thickness_A))
