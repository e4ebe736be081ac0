"""Particles from the command line: scores of a study, and what a prediction writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studyspec import api
from studyspec.particles.objects import Counting
from studyspec.store.particle_files import read_particles
from tests.cli.projects import STUDY, disc_image, studyspec

SCALE_NM = 0.1
SCORED = "particles.min_area_px = 20\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that was run without scores of particles, and then with them."""
    folder = tmp_path_factory.mktemp("particles")
    data = folder / "data"
    data.mkdir()
    lines = ["image,label,kind,pixel_scale_nm"]
    for name in ("A0", "A1", "B0", "B1", "B2"):
        disc_image(data, name, seed=int(name, 16), bright=60)
        lines.append(f"{name}.npy,{name}_label.png,{name[0]},{SCALE_NM}")
    (data / "metadata.csv").write_text("\n".join(lines) + "\n")
    words = ("add", "data", "--metadata", "data/metadata.csv", "--catalog", "catalog.parquet")
    studyspec(folder, "catalog", *words)
    text = STUDY.replace('train = ["A", "B"]', 'train = ["A"]').replace("epochs = 2", "epochs = 20")
    text = text.replace('test = ["A", "B"]', 'test = ["B"]') + "patch_size = 64\n"
    (folder / "study.toml").write_text(text)
    studyspec(folder, "run", "study.toml", "--on", "inline")
    (folder / "scored.toml").write_text(text.replace('"discs"', '"scored"') + SCORED)
    studyspec(folder, "run", "scored.toml", "--on", "inline")
    return folder


def rows(folder: Path, query: str) -> list[dict[str, Any]]:
    studyspec(folder, "sql", query, "--json", "rows.json")
    found: list[dict[str, Any]] = json.loads((folder / "rows.json").read_text())
    return found


@pytest.mark.slow
def test_scores_of_particles_are_in_the_matrix_where_they_were_asked_for(project: Path) -> None:
    names = "particles_mean, particles_found_mean, panoptic_quality_mean, diameter_bias_nm_mean"
    query = f"select study, test, dice_mean, {names} from matrix order by study, test"
    before, after = rows(project, query)
    assert (before["study"], after["study"]) == ("discs", "scored")
    assert before["dice_mean"] == after["dice_mean"]
    assert {before[name] for name in names.split(", ")} == {None}
    assert all(0 <= (after[name] or 0) <= 1 for name in names.split(", ")[:3])
    assert after["particles_mean"] is not None


@pytest.mark.slow
def test_networks_are_not_trained_anew_for_them(project: Path) -> None:
    query = "select stage, count(*) as n from attempts group by all order by all"
    assert {row["stage"]: row["n"] for row in rows(project, query)} == {
        "evaluate": 4, "prepare": 5, "train": 2,
    }  # fmt: skip
    plan = json.loads(studyspec(project, "plan", "study.toml", "--json").stdout)[0]
    assert {job["state"] for job in plan["jobs"]} == {"known"}


@pytest.mark.slow
def test_the_report_has_them_in_its_menu(project: Path) -> None:
    studyspec(project, "report", "scored.toml", "-o", "scored.html")
    assert "Panoptic quality" in (project / "scored.html").read_text()


def predict(folder: Path, *words: str, expect: int = 0) -> tuple[list[str], str]:
    """What is told of images and sizes, and the messages."""
    networks = sorted((folder / "results/artifacts/networks").glob("*.safetensors"))
    both = [str(networks[0]), *words, "--also", str(networks[1])]
    done = studyspec(folder, "predict", *both, expect=expect)
    assert "Traceback" not in done.stderr
    return done.stdout.splitlines(), done.stderr


@pytest.mark.slow
def test_a_bad_file_does_not_stop_the_others(project: Path) -> None:
    (project / "bad.tif").write_bytes(b"no image at all")
    np.save(project / "small.npy", np.ones((4, 4)))
    images = ("data/B0.npy", "bad.tif", "small.npy", "gone.dm3", "data/B1.npy")
    scale = ("--pixel-scale-nm", str(SCALE_NM), "--min-area-px", "20")
    told, messages = predict(project, *images, *scale, "-o", "found", expect=1)
    assert told[0].startswith("found/B0_mask.ome.tif  ")
    assert told[1].startswith("found/B1_mask.ome.tif  ")
    assert "agreement 0." in told[0] or "agreement 1." in told[0]
    for name in images[1:4]:
        assert f"error: {name}: " in messages
    assert messages.endswith("3 of 5 images could not be predicted: bad.tif, small.npy, gone.dm3\n")
    assert {path.name for path in (project / "found").iterdir()} == {
        *(f"{name}_{what}" for name in ("B0", "B1") for what in
          ("mask.ome.tif", "particles.png", "particles.csv", "particles.parquet")),
        "sizes.csv", "particles.json",
    }  # fmt: skip


@pytest.mark.slow
def test_tables_masks_and_sizes_tell_the_same(project: Path) -> None:
    """And sizes are corrected by the labelled images that the study tested on."""
    words = ("data/B0.npy", "data/B1.npy", "data/B2.npy", "-o", "sized", "--tested-on", "B")
    scale = ("--pixel-scale-nm", str(SCALE_NM), "--min-area-px", "20")
    told, _ = predict(project, *words, *scale)
    folder = project / "sized"
    rule = Counting(min_area_px=20)
    tables = [api.measure_particles(folder / f"B{i}_mask.ome.tif", counting=rule) for i in range(3)]
    for i, alone in enumerate(tables):
        for kind in ("csv", "parquet"):
            rows = read_particles(folder / f"B{i}_particles.{kind}")
            assert [r.area_nm2 for r in rows] == pytest.approx([r.area_nm2 for r in alone])
            assert {r.image for r in rows} <= {f"B{i}.npy"}
            assert all(0.5 < r.mean_probability <= 1 and r.agreement for r in rows)
    said = json.loads((folder / "particles.json").read_text())
    assert "watershed" in said["particles"]
    assert [len(one["sha256"]) for one in said["networks"]] == [64, 64]
    sizes = said["sizes"]
    assert sizes["error"]["images"] == 3
    inside = [r for rows in tables for r in rows if not r.touches_border]
    assert sizes["particles"] == len(inside)
    assert sizes["left_out"] == sum(map(len, tables)) - len(inside)
    again = api.size_distribution(sorted(folder.glob("*.parquet")))
    assert [f.found.value for f in again.figures] == [f["found"]["value"] for f in sizes["figures"]]
    mean = np.mean([r.equivalent_diameter_nm or 0 for r in inside])
    assert sizes["figures"][1]["found"]["value"] == pytest.approx(mean)
    assert any("corrected by 3 labelled images" in line for line in told)
    mask, image = str(folder / "B0_mask.ome.tif"), project / "data/B0.npy"
    drawn = api.draw_particles(image, mask, project / "a.png")
    assert drawn.stat().st_size > 1000


@pytest.mark.slow
def test_masks_alone_without_a_scale(project: Path) -> None:
    text = ("data/B0.npy", "--no-particles", "--format", "png", "-o", "plain")
    predict(project, *text, "--pixel-scale-nm", str(SCALE_NM))
    assert [path.name for path in (project / "plain").iterdir()] == ["B0_mask.png"]


@pytest.mark.slow
def test_a_network_that_knows_its_scale_asks_for_that_of_the_image(project: Path) -> None:
    _, messages = predict(project, "data/B0.npy", expect=2)
    assert "--pixel-scale-nm" in messages
    assert messages.count("\n") == 1
