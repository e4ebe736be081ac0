"""Structures from CIF files, against what is known of these crystals from elsewhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studyspec import api
from studyspec.catalog.row import ImageRow
from studyspec.catalog.table import Catalog
from studyspec.errors import TwinError
from studyspec.twin.conditions import Conditions
from studyspec.twin.constants import CONSTANTS
from studyspec.twin.materials import CRYSTALS
from studyspec.twin.shapes import SHAPES
from studyspec.twin.simulation import simulate
from studyspec.twin.specimen import make_particle
from studyspec.twin.structures import DEFAULT_B_A2, crystal_of, read_cif

HEAD = """\
data_{name}
_cell_length_a {a}
_cell_length_b {b}
_cell_length_c {c}
_cell_angle_alpha {alpha}
_cell_angle_beta {beta}
_cell_angle_gamma {gamma}
_symmetry_space_group_name_H-M '{group}'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
_atom_site_{kind}_iso_or_equiv
"""
SALT = ("Na1 Na+ 0 0 0 1 0.02", "Cl1 Cl- 0.5 0.5 0.5 1 0.025")
GOLD_PRIMITIVE = 4.078 / np.sqrt(2)


def cif(
    folder: Path,
    sites: tuple[str, ...] = SALT,
    cell: tuple[float, ...] = (5.64, 5.64, 5.64, 90, 90, 90),
    group: str = "F m -3 m",
    kind: str = "U",
) -> Path:
    names = ("a", "b", "c", "alpha", "beta", "gamma")
    head = HEAD.format(name="one", group=group, kind=kind, **dict(zip(names, cell, strict=True)))
    path = folder / "one.cif"
    path.write_text(head + "\n".join(sites) + "\n")
    return path


def test_symmetry_fills_the_cell_and_displacements_become_b(tmp_path: Path) -> None:
    found = read_cif(cif(tmp_path))
    crystal = crystal_of(found.text)
    assert found.formula == "NaCl"
    assert len(crystal.sites) == 8
    assert {e.symbol: e.number for e in crystal.elements} == {"Na": 11, "Cl": 17}
    sodium = next(e for e in crystal.elements if e.symbol == "Na")
    assert sodium.b_A2 == pytest.approx(8 * np.pi**2 * 0.02, abs=1e-3)
    assert crystal.atoms_per_A3 * 58.44 / 2 * 1.66054 == pytest.approx(2.163, rel=0.01)


def test_the_planes_of_salt_are_those_of_the_powder_pattern(tmp_path: Path) -> None:
    """{200} and {111} of rock salt; {111} is weak (Na against Cl), {100} is extinct."""
    normals = crystal_of(read_cif(cif(tmp_path)).text).planes
    assert len(normals) == 7
    axes = sorted(tuple(np.sort(np.abs(np.round(n, 3)))) for n in normals)
    assert axes[:3] == [(0, 0, 1)] * 3
    assert axes[3:] == [(0.577,) * 3] * 4


@pytest.mark.parametrize(
    ("cell", "group"),
    [
        ((4.078, 4.078, 4.078, 90, 90, 90), "F m -3 m"),
        ((GOLD_PRIMITIVE,) * 3 + (60, 60, 60), "P 1"),
    ],
)
def test_face_centred_elements_are_found_in_any_cell(
    cell: tuple[float, ...], group: str, tmp_path: Path
) -> None:
    crystal = crystal_of(read_cif(cif(tmp_path, ("Au1 Au 0 0 0 1 0.6",), cell, group, "B")).text)
    assert crystal.structure == "fcc"
    assert crystal.a_A == pytest.approx(4.078, abs=2e-3)
    assert crystal.elements == CRYSTALS["Au"].elements


def test_hexagonal_cobalt_is_not_face_centred(tmp_path: Path) -> None:
    cell = (2.507, 2.507, 4.094, 90, 90, 120)
    sites = ("Co1 Co 0.33333 0.66667 0.25 1 ?",)
    crystal = crystal_of(read_cif(cif(tmp_path, sites, cell, "P 63/m m c")).text)
    assert crystal.structure == "other"
    assert len(crystal.sites) == 2
    assert crystal.elements[0].b_A2 == DEFAULT_B_A2
    assert np.allclose(crystal.axis, [0, 0, 1])
    assert not SHAPES["rod"].impossible(crystal)
    assert SHAPES["decahedron"].impossible(crystal)


@pytest.mark.parametrize("seed", range(3))
def test_a_particle_of_another_crystal_has_its_density(seed: int, tmp_path: Path) -> None:
    crystal = crystal_of(read_cif(cif(tmp_path)).text)
    rng = np.random.default_rng(seed)
    single = replace(CONSTANTS.particles, grained=0.0)
    particle = make_particle(crystal, 40.0, rng, single)
    wanted = crystal.atoms_per_A3 * np.pi / 6 * 40**3
    assert len(particle.positions) == pytest.approx(wanted, rel=0.2)
    assert np.bincount(particle.elements)[0] == pytest.approx(len(particle.positions) / 2, rel=0.05)


@pytest.mark.parametrize(
    ("elements", "formula"),
    [("O O Ti", "TiO2"), ("O Co Li O", "LiCoO2"), ("Br Pb Br Cs Br", "CsPbBr3"), ("C Si", "SiC"),
     ("As Ga", "GaAs"), ("H O H", "H2O")],
)  # fmt: skip
def test_a_formula_is_as_chemists_write_it(elements: str, formula: str, tmp_path: Path) -> None:
    sites = tuple(
        f"{e}{n} {e} {n / 5} {n / 7} {n / 9} 1 0.01" for n, e in enumerate(elements.split())
    )
    assert read_cif(cif(tmp_path, sites, (5, 5, 6, 90, 95, 90), "P 1")).formula == formula


def test_the_content_is_the_identity_and_the_file_may_go(tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    files = (cif(tmp_path), cif(other, SALT[::-1]))
    how = api.catalog.Imaging(width_px=128)
    rows: list[ImageRow] = []
    for number, file in enumerate(files):
        catalog = tmp_path / f"{number}.parquet"
        rows += api.catalog.simulate(None, 2.0, how, 1, catalog, structure=file)
        file.unlink()
    read = Catalog.open(tmp_path / "0.parquet").rows[0]
    hashes = {Conditions.from_row(row).image_hash() for row in (*rows, read)}
    assert len(hashes) == 1
    assert read.material == "NaCl"
    larger = cif(tmp_path, cell=(5.7, 5.7, 5.7, 90, 90, 90))
    changed = replace(read, structure=read_cif(larger).text)
    assert Conditions.from_row(changed).image_hash() not in hashes
    made = simulate(Conditions.from_row(read))
    assert made.exact.any()
    assert np.isfinite(made.pixels).all()


def test_names_tell_two_structures_of_one_formula_apart(tmp_path: Path) -> None:
    catalog = tmp_path / "c.parquet"
    how = api.catalog.Imaging(width_px=128)
    for edge in (5.6, 5.7):
        file = cif(tmp_path, cell=(edge,) * 3 + (90, 90, 90))
        api.catalog.simulate(None, 2.0, how, 2, catalog, structure=file)
    assert len(Catalog.open(catalog).rows) == 4
    found = api.catalog.conditions(catalog)
    assert "structure" in found.columns
    assert [row[-1] for row in found.rows] == [2, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no cif at all", "no CIF file: "),
        ("data_empty\n", "no atoms; expected a CIF file with a cell"),
        ("\x00\xff\x01", "no CIF file: "),
        ("data_x\nloop_\n_atom_site_label\n_atom_site_fract_x\nAu1 0\n", "no cell; expected _cell"),
    ],
)
def test_what_is_no_structure_is_told(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "one.cif"
    path.write_text(text)
    with pytest.raises(TwinError, match=message) as caught:
        read_cif(path)
    assert caught.value.where == str(path)


@pytest.mark.parametrize(
    ("sites", "edge", "group", "message"),
    [
        (("Fe1 Fe 0 0 0 0.5 0.01",), 4.0, "P 1", "site Fe1 has the occupancy 0.5; write an ord"),
        (("Fe1 Fe ? 0 0 1 0.01",), 4.0, "P 1", "site Fe1 has no place"),
        (("Fe1 Fe 0 0 0 1 0.01",), 90.0, "P 1", "1 atoms in 729000 Å.3; that is no solid"),
        (("Fe1 Fe 0 0 0 1 0", "Fe2 Fe .01 0 0 1 0"), 4.0, "P 1", "two atoms are 0.04 Å apart"),
        (("Es1 Es 0 0 0 1 0.01",), 4.0, "P 1", "nothing is known of the element 'Es'"),
        (("Q1 Q 0 0 0 1 0.01",), 4.0, "P 1", "nothing is known of the element"),
        (("Fe1 Fe 0 0 0 1 0.01",), 4.0, "no group", "unknown space group 'no group'"),
        (("Fe1 Fe .11 .12 .13 1 0.01",) * 6, 30.0, "F m -3 m", "1152 atoms in a cell 30 Å long"),
        (("Fe1 Fe 0 0 0 1 0.01",), -4.0, "P 1", "no cell|no volume"),
    ],
)
def test_a_crystal_that_cannot_be_is_told(
    sites: tuple[str, ...], edge: float, group: str, message: str, tmp_path: Path
) -> None:
    path = cif(tmp_path, sites, (edge,) * 3 + (90, 90, 90), group)
    with pytest.raises(TwinError, match=message) as caught:
        read_cif(path)
    assert caught.value.where == str(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(TwinError, match=r"one\.cif: no such file"):
        read_cif(tmp_path / "one.cif")
    with pytest.raises(TwinError, match="cannot be read"):
        read_cif(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"cell":[1,2,3]}', '{"cell":[4,4,4,90,90,90],"sites":[["Fe",0,0]]}',
     '{"cell":[4,4,4,90,90,0],"sites":[["Fe",0,0,0,1]]}'],
)  # fmt: skip
def test_a_row_whose_structure_is_none_is_told(text: str) -> None:
    row = Catalog.open(Path(__file__).parents[2] / "data_catalog.parquet").rows_of("twin")[0]
    with pytest.raises(TwinError, match="'structure' is no crystal") as caught:
        Conditions.from_row(replace(row, structure=text))
    assert caught.value.where == row.image_id
