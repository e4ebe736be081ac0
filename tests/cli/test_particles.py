"""Particles from the command line: scores of a study, and what a prediction writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

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
    studyspec(project, "report", "scored.toml", "-o", "scored.html", "--export", "files")
    assert "Panoptic quality" in (project / "scored.html").read_text()
    studyspec(project, "report", "study.toml", "-o", "plain.html")
    assert "Panoptic quality" not in (project / "plain.html").read_text()
