from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from studyspec.twin.constants import CONSTANTS
from studyspec.twin.film import make_film
from studyspec.twin.materials import CARBON, NITROGEN, SILICON


def test_films_have_their_elements_and_their_thickness() -> None:
    rng = np.random.default_rng(0)
    thickness = 10 * CONSTANTS.film.carbon_nm
    carbon = make_film("ultrathin carbon", 60.0, rng, CONSTANTS.film)[CARBON]
    least, most = CONSTANTS.film.extremes
    assert least * thickness < np.ptp(carbon[:, 2]) <= most * thickness
    nitride = make_film("silicon nitride", 60.0, rng, CONSTANTS.film)
    assert len(nitride[NITROGEN]) / len(nitride[SILICON]) == pytest.approx(4 / 3, rel=0.05)


def test_atoms_of_a_film_keep_their_distance_across_its_edges_too() -> None:
    flat = replace(CONSTANTS.film, carbon_relief=0.0)
    atoms = make_film("ultrathin carbon", 50.0, np.random.default_rng(0), flat)[CARBON]
    box = [50.0, 50.0, 1000.0]
    nearest = cKDTree(atoms, boxsize=box).query(atoms, k=2)[0][:, 1]
    assert nearest.min() >= flat.shortest_A - 1e-4
    wanted = flat.carbon_per_A3 * 50**2 * 10 * flat.carbon_nm
    assert len(atoms) == pytest.approx(wanted, rel=0.02)
