"""Shapes against facts that have nothing to do with how they are built."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.ndimage import label
from scipy.spatial import ConvexHull, cKDTree

from studyspec.catalog.row import ImageRow
from studyspec.catalog.table import Catalog
from studyspec.catalog.twin_rows import NOMINAL
from studyspec.errors import TwinError
from studyspec.twin.conditions import Conditions
from studyspec.twin.constants import CONSTANTS
from studyspec.twin.layout import draw_layout
from studyspec.twin.materials import CRYSTALS
from studyspec.twin.shapes import ASPECT, SHAPES, decahedron_atoms, icosahedron_atoms
from studyspec.twin.simulation import simulate
from tests.twin.scenes import CONDITIONS

Array = npt.NDArray[np.float64]
PROJECT = Path(__file__).parents[2]
GOLD = CRYSTALS["Au"]
NEIGHBOURS_A = GOLD.a_A / np.sqrt(2)
MAGIC = (13, 55, 147, 309, 561)
"""Atoms of whole Mackay icosahedra, and of Ino decahedra with square facets (Martin 1996)."""
UPRIGHT = replace(CONSTANTS.particles, aligned=0.0)


def made(shape: str, material: str = "Au", diameter_A: float = 50.0, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    return SHAPES[shape].make(CRYSTALS[material], diameter_A, rng, UPRIGHT).positions


def bonds(atoms: Array, distance_A: float = NEIGHBOURS_A) -> Array:
    tree = cKDTree(atoms)
    pairs = tree.query_pairs(1.2 * distance_A, output_type="ndarray")
    return np.asarray(np.linalg.norm(atoms[pairs[:, 0]] - atoms[pairs[:, 1]], axis=1))


def turned(atoms: Array, angle: float) -> Array:
    c, s = np.cos(angle), np.sin(angle)
    return np.asarray(atoms @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T)


@pytest.mark.parametrize("build", [icosahedron_atoms, decahedron_atoms])
@pytest.mark.parametrize(("shells", "atoms"), list(enumerate(MAGIC, 1)))
def test_whole_shells_have_magic_numbers(build, shells: int, atoms: int) -> None:  # type: ignore[no-untyped-def]
    assert len(build(NEIGHBOURS_A, shells)) == atoms


def test_a_decahedron_has_five_fold_symmetry_and_no_ten_fold() -> None:
    atoms = decahedron_atoms(NEIGHBOURS_A, 4)
    tree = cKDTree(atoms)
    assert tree.query(turned(atoms, 2 * np.pi / 5))[0].max() < 1e-6
    assert tree.query(turned(atoms, np.pi / 5))[0].max() > 1


def test_a_decahedron_is_five_grains_of_fcc_that_are_hardly_strained() -> None:
    lengths = bonds(decahedron_atoms(NEIGHBOURS_A, 6)) / NEIGHBOURS_A
    assert 0.99 < lengths.min() < lengths.max() < 1.02
    # Atoms inside have twelve neighbours in fcc, on twin planes and on the axis as well.
    atoms = decahedron_atoms(NEIGHBOURS_A, 6)
    inside = atoms[np.linalg.norm(atoms, axis=1) < 2.5 * NEIGHBOURS_A]
    near = cKDTree(atoms).query_ball_point(inside, 1.2 * NEIGHBOURS_A, return_length=True)
    assert set(near) == {13}


def test_an_icosahedron_has_six_five_fold_axes() -> None:
    atoms = icosahedron_atoms(1.0, 3)
    far = np.linalg.norm(atoms, axis=1)
    corners = atoms[far > far.max() - 1e-6]
    assert len(corners) == 12
    tree = cKDTree(atoms)
    for corner in corners:
        axis = corner / np.linalg.norm(corner)
        x, y, z = axis
        skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        angle = 2 * np.pi / 5
        turn = np.eye(3) + np.sin(angle) * skew + (1 - np.cos(angle)) * skew @ skew
        assert tree.query(atoms @ turn.T)[0].max() < 1e-6


def test_distances_within_a_shell_are_five_percent_longer_than_between_shells() -> None:
    lengths = bonds(icosahedron_atoms(NEIGHBOURS_A, 5))
    assert lengths.max() / lengths.min() == pytest.approx(1.0515, abs=1e-3)
    assert lengths.mean() == pytest.approx(NEIGHBOURS_A, rel=0.01)


@pytest.mark.parametrize("material", ["Au", "Pt", "CdSe"])
@pytest.mark.parametrize("shape", ["smooth sphere", "rod"])
def test_atoms_are_density_times_volume(shape: str, material: str) -> None:
    wanted = CRYSTALS[material].atoms_per_A3 * np.pi / 6 * 50**3
    counts = [len(made(shape, material, seed=seed)) for seed in range(4)]
    assert np.mean(counts) == pytest.approx(wanted, rel=0.02)


def test_the_density_of_gold_is_that_of_the_books() -> None:
    assert GOLD.atoms_per_A3 * 196.967 * 1.66054 == pytest.approx(19.3, rel=0.005)


@pytest.mark.parametrize("shape", ["truncated octahedron", "decahedron", "icosahedron"])
def test_faceted_shapes_have_the_volume_of_the_sphere(shape: str) -> None:
    wanted = GOLD.atoms_per_A3 * np.pi / 6 * np.linspace(40, 60, 9) ** 3
    counts = [len(made(shape, diameter_A=d)) for d in np.linspace(40, 60, 9)]
    assert np.mean(counts / wanted) == pytest.approx(1, abs=0.06)


def test_a_sphere_is_round() -> None:
    atoms = made("smooth sphere")
    directions = np.random.default_rng(1).normal(size=(200, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    extents = (atoms @ directions.T).max(axis=0)
    assert 23 < extents.min() < extents.max() < 25


def test_a_truncated_octahedron_has_eight_large_and_six_small_facets() -> None:
    hull = ConvexHull(made("truncated octahedron", diameter_A=60.0))
    corners = hull.points[hull.simplices]
    areas = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    ) / 2  # fmt: skip
    faces: dict[tuple[float, ...], float] = defaultdict(float)
    for equation, area in zip(hull.equations, areas, strict=True):
        faces[tuple(np.round(equation[:3], 2) + 0.0)] += float(area)
    large = sorted((area for area in faces.values() if area > 100), reverse=True)
    assert len(large) == 14
    # Hexagons have 2.6 times the area of squares; layers of atoms make both differ.
    assert np.mean(large[:8]) / np.mean(large[8:]) == pytest.approx(2.6, rel=0.35)


def test_a_rod_is_as_long_as_said_and_lies_flat() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        atoms = SHAPES["rod"].make(GOLD, 50.0, rng, CONSTANTS.particles).positions
        _, size, axes = np.linalg.svd(atoms - atoms.mean(axis=0), full_matrices=False)
        length, width = (np.ptp(atoms @ axis) for axis in axes[:2])
        assert length / width == pytest.approx(ASPECT, rel=0.08)
        assert size[0] > 2 * size[1]
        assert abs(axes[0][2]) < np.sin(np.deg2rad(4 * CONSTANTS.particles.tilt_deg))


@pytest.mark.parametrize("shape", list(SHAPES))
def test_no_two_atoms_are_too_near_and_none_reaches_beyond_its_corners(shape: str) -> None:
    for diameter_A in (22.0, 41.0, 57.0):
        atoms = made(shape, diameter_A=diameter_A)
        assert bonds(atoms).min() > 0.97 * NEIGHBOURS_A
        volume = len(atoms) / GOLD.atoms_per_A3
        radius = (3 * volume / (4 * np.pi)) ** (1 / 3)
        assert np.linalg.norm(atoms, axis=1).max() < SHAPES[shape].reach * radius + 1.0


@pytest.mark.parametrize("shape", list(SHAPES))
def test_shapes_lie_apart_in_a_field(shape: str) -> None:
    conditions = replace(CONDITIONS, shape=shape)
    rng = np.random.default_rng(0)
    discs = draw_layout(820.0, 256, conditions, rng, CONSTANTS.particles).discs
    assert len(discs) > 10
    for number, one in enumerate(discs):
        others = discs[:number]
        gaps = np.hypot(*(others[:, :2] - one[:2]).T)
        gaps -= SHAPES[shape].reach * (others[:, 2] + one[2]) / 2
        assert np.all(gaps > 2.9)


@pytest.fixture(scope="module")
def row() -> ImageRow:
    first = Catalog.open(PROJECT / "data_catalog.parquet").rows_of("twin")[0]
    return replace(first, width_px=256, height_px=256)


@pytest.mark.parametrize("shape", [None, *NOMINAL])
def test_published_words_and_none_are_the_mixture(shape: str | None, row: ImageRow) -> None:
    asked = Conditions.from_row(replace(row, shape=shape))
    assert asked == Conditions.from_row(row)
    conditions = asked.recipe()["conditions"]
    assert isinstance(conditions, dict)
    assert "shape" not in conditions


def test_another_shape_is_another_image(row: ImageRow) -> None:
    rows = [replace(row, shape=shape) for shape in (None, *SHAPES)]
    assert len({Conditions.from_row(one).image_hash() for one in rows}) == len(SHAPES) + 1


def test_labels_follow_the_shape() -> None:
    """A label of rods has long regions; one of spheres has not."""
    elongated = {}
    for shape in ("smooth sphere", "rod"):
        wide = replace(
            CONDITIONS, shape=shape, width_px=512, height_px=512, pixel_scale_nm=0.05
        )  # fmt: skip
        regions, n = label(simulate(wide).exact)
        found = []
        for number in range(1, n + 1):
            places = np.argwhere(regions == number)
            if places.min() == 0 or places.max() == 511:
                continue  # cut by the edge
            spread = np.sqrt(np.linalg.eigvalsh(np.cov(places.T)))
            found.append(spread[1] / spread[0])
        elongated[shape] = np.median(found)
    assert elongated["smooth sphere"] == pytest.approx(1, abs=0.05)
    assert elongated["rod"] == pytest.approx(ASPECT, rel=0.2)


@pytest.mark.parametrize(
    ("shape", "material", "message"),
    [
        ("cube", "Au", "knows no shape 'cube'; known: sphere, oblong, smooth sphere"),
        ("decahedron", "CdSe", "no decahedron of CdSe can be: .*; use smooth sphere, rod"),
        ("truncated octahedron", "CdSe", "its facets are those of a cubic crystal"),
    ],
)
def test_a_shape_that_cannot_be_is_told(
    shape: str, material: str, message: str, row: ImageRow
) -> None:
    with pytest.raises(TwinError, match=message) as caught:
        Conditions.from_row(replace(row, shape=shape, material=material))
    assert caught.value.where == row.image_id
