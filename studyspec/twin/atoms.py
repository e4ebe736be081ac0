"""Atoms: particles as positions, and the sites of a lattice. Knows no shape and no film."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from studyspec.twin.materials import Crystal

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]
MARGIN = 1.25
"""Sites are made within so many radii, so that corners of a particle have theirs."""


@dataclass(frozen=True)
class Particle:
    """Atoms of one particle [Å, (N, 3)], centred, and the number of each one's element."""

    positions: Array
    elements: Numbers


def lattice(crystal: Crystal, radius_A: float) -> tuple[Array, Numbers]:
    """All lattice sites within somewhat more than a radius [Å], with their elements."""
    farthest = MARGIN * radius_A
    spacings = 1 / np.linalg.norm(np.linalg.inv(crystal.cell), axis=0)
    steps = [np.arange(-n, n + 1) for n in (np.ceil(farthest / spacings) + 1).astype(int)]
    cells = np.stack(np.meshgrid(*steps, indexing="ij"), -1).reshape(-1, 3)
    positions, elements = [], []
    for element, site in crystal.sites:
        points = (cells + np.array(site)) @ crystal.cell
        points = points[(points**2).sum(1) < farthest**2]
        positions.append(points)
        elements.append(np.full(len(points), element))
    return np.concatenate(positions), np.concatenate(elements)
