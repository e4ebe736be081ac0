"""The commands on catalogs that simulate and compare images."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.projects import studyspec

PLATINUM = (
    "catalog", "simulate", "--material", "Pt", "--diameter-nm", "2", "--dose", "200",
    "--width-px", "128", "--catalog", "catalog.parquet",
)  # fmt: skip

SALT = """\
data_salt
_cell_length_a 5.64
_cell_length_b 5.64
_cell_length_c 5.64
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na1 0 0 0
Cl1 0.5 0.5 0.5
"""


def test_simulate_adds_rows_and_says_which(tmp_path: Path) -> None:
    done = studyspec(tmp_path, *PLATINUM, "-n", "2")
    assert done.stdout.startswith("catalog.parquet: 2 images added, twin/Pt-2nm-0.02nm-200e-")
    assert "each is 128 px wide" in done.stderr
    listed = studyspec(tmp_path, "catalog", "ls", "--catalog", "catalog.parquet").stdout
    assert listed.splitlines()[2].split()[:3] == ["twin", "Pt", "2"]


def test_ranges_make_a_grid(tmp_path: Path) -> None:
    words = ("--defocus-nm=-25..25/5", "--temperature-k", "77..293/216", "-n", "2")
    done = studyspec(tmp_path, *PLATINUM, *words)
    assert done.stdout.startswith("catalog.parquet: 44 images added, twin/Pt-2nm-0.02nm-200e-")
    listed = studyspec(tmp_path, "catalog", "ls", "--catalog", "catalog.parquet").stdout
    assert listed.splitlines()[0].split()[-3:] == ["defocus_nm", "temperature_K", "images"]
    assert len(listed.splitlines()) == 2 + 22


def test_shapes_are_a_list(tmp_path: Path) -> None:
    done = studyspec(tmp_path, *PLATINUM, "--shape", "decahedron, smooth sphere", "-n", "2")
    assert "4 images added, twin/Pt-2nm-0.02nm-200e-ultrathin-carbon-simulated-decah" in done.stdout
    listed = studyspec(tmp_path, "catalog", "ls", "--catalog", "catalog.parquet").stdout
    assert "smooth sphere" in listed


def test_a_distribution_is_a_number_in_each_row(tmp_path: Path) -> None:
    words = ("--defocus-nm", "normal(5, 3),-20", "--dose", "uniform(100,400)", "-n", "3")
    done = studyspec(tmp_path, *PLATINUM, *words)
    assert "6 images added" in done.stdout
    assert "defocus_nm=normal(5,3)/00" in done.stdout
    listed = studyspec(tmp_path, "catalog", "ls", "--catalog", "catalog.parquet").stdout
    assert len(listed.splitlines()) == 2 + 6
    assert listed.count(" -20 ") == 3


def test_a_structure_has_a_material_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "salt.cif").write_text(SALT)
    words = ("catalog", "simulate", "--structure", "salt.cif", "--diameter-nm", "3", "-n", "2")
    done = studyspec(tmp_path, *words, "--catalog", "c.parquet")
    assert "2 images added, twin/NaCl-3nm" in done.stdout
    assert "neither material" in studyspec(tmp_path, *words[:2], *words[4:], expect=2).stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--shape", "cube"), "knows no shape 'cube'; known: sphere, oblong, smooth sphere"),
        (("--structure", "none.cif"), "none.cif: no such file"),
        (("--support", "mica"), "knows no support 'mica'; known: ultrathin carbon"),
        (("--dose", "-3"), "'dose_e_per_A2' is -3.0"),
        (("--aperture-mrad", "0"), "'aperture_mrad' is 0.0"),
        (("--tilt-mrad", "normal(5)"), "--tilt-mrad: 'normal(5)' needs two numbers; write normal"),
        (("--tilt-mrad", "gauss(5, 3)"), "--tilt-mrad: no distribution 'gauss'; write normal"),
        (("--defocus-nm=-5..5/3",), "--defocus-nm: '-5..5/3' is not a range; write a number"),
        (
            ("--dose", "1..1000/1", "-n", "101"),
            "1000 conditions of 101 images are 101000; 100000 at most",
        ),
    ],
)
def test_what_cannot_be_simulated_is_told(
    words: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    done = studyspec(tmp_path, *PLATINUM, *words, expect=2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "catalog.parquet").exists()


@pytest.mark.slow
def test_compare_prints_both_collections_and_their_ratio(tmp_path: Path) -> None:
    studyspec(tmp_path, *PLATINUM, "-n", "2")
    program = (
        "from dataclasses import replace; from pathlib import Path;"
        "from studyspec.catalog.table import Catalog, write_catalog;"
        "path = Path('catalog.parquet'); rows = Catalog.open(path).rows;"
        "write_catalog([*rows, *(replace(r, image_id=r.image_id + 'x', collection='mine')"
        " for r in rows)], path)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    words = ("catalog", "compare", "mine", "twin", "--catalog", "catalog.parquet")
    lines = studyspec(tmp_path, *words, "--patch", "128").stdout.splitlines()
    names, (first, second, ratio) = lines[0].split(), (line.split() for line in lines[2:5])
    assert names[:6] == ["material", "diameter_nm", "pixel_scale_nm", "dose_e_per_A2",
                         "collection", "images"]  # fmt: skip
    assert first[4:6] == ["mine", "2"]
    assert first[6:] == second[6:]
    assert {float(number) for number in ratio[7:]} == {1.0}
    lost = studyspec(tmp_path, *words[:3], "real", *words[4:], expect=2)
    assert "no collection 'real'" in lost.stderr
