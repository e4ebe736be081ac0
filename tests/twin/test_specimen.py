from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from studyspec.twin.constants import CONSTANTS
from studyspec.twin.materials import CRYSTALS
from studyspec.twin.specimen import make_particle, rest


@pytest.mark.parametrize("material", list(CRYSTALS))
def test_a_particle_is_as_wide_as_asked_and_as_dense_as_its_crystal(material: str) -> None:
    crystal = CRYSTALS[material]
    rng = np.random.default_rng(0)
    counts, widths = [], []
    one_grain = replace(CONSTANTS.particles, grained=0.0)
    for _ in range(6):
        particle = make_particle(crystal, 50.0, rng, one_grain)
        counts.append(len(particle.positions))
        widths.append(np.ptp(particle.positions, axis=0).mean())
    volume = np.abs(np.linalg.det(crystal.cell))
    ideal = len(crystal.sites) / volume * np.pi / 6 * 50**3
    assert np.mean(counts) == pytest.approx(ideal, rel=0.2)
    assert np.mean(widths) == pytest.approx(50, rel=0.15)


def test_no_two_atoms_of_a_particle_are_too_near() -> None:
    rng = np.random.default_rng(1)
    twinned = replace(CONSTANTS.particles, twinned=1.0, grained=0.0)
    atoms = make_particle(CRYSTALS["Au"], 40.0, rng, twinned).positions
    distance = cKDTree(atoms).query(atoms, k=2)[0][:, 1]
    assert distance.min() > 0.95 * CRYSTALS["Au"].a_A / np.sqrt(2)


def test_grains_meet_in_planes_and_keep_to_the_particle() -> None:
    rng = np.random.default_rng(2)
    crystal = CRYSTALS["Au"]
    grained = replace(CONSTANTS.particles, grained=1.0)
    found = [make_particle(crystal, 50.0, rng, grained) for _ in range(6)]
    ideal = 4 / crystal.a_A**3 * np.pi / 6 * 50**3
    assert np.mean([len(p.positions) for p in found]) == pytest.approx(ideal, rel=0.25)
    assert all(np.abs(p.positions).max() < 50 * 0.75 for p in found)


def test_particles_that_have_grown_together_share_no_space() -> None:
    rng = np.random.default_rng(0)
    discs = np.array([[100.0, 100.0, 40.0], [100.0, 132.0, 40.0]])
    left, right = (
        rest(make_particle(CRYSTALS["Au"], disc[2], rng, CONSTANTS.particles), disc, discs)
        for disc in discs
    )
    assert left.positions[:, 1].max() <= 116 <= right.positions[:, 1].min()
    assert left.positions[:, 2].max() == 0 == right.positions[:, 2].max()
