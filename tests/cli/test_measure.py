"""Image statistics as jobs: from the study file to the views of the store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.projects import make_project, studyspec

MEASURE = """
[measure]
enabled = true
only = true
rho = [0.0, 1.0]
"""


def rows(folder: Path, query: str) -> list[dict[str, Any]]:
    studyspec(folder, "sql", query, "--json", "rows.json")
    found: list[dict[str, Any]] = json.loads((folder / "rows.json").read_text())
    return found


@pytest.mark.slow
def test_images_are_measured_and_nothing_is_trained(tmp_path: Path) -> None:
    study = make_project(tmp_path, "AB")
    study.write_text(study.read_text() + MEASURE)
    plan = json.loads(studyspec(tmp_path, "plan", "study.toml", "--json").stdout)[0]
    assert {job["stage"] for job in plan["jobs"]} == {"prepare", "measure"}
    done = studyspec(tmp_path, "run", "study.toml", "--workers", "2")
    assert "6 to prepare, 6 to measure" in done.stderr
    assert "nothing is trained" in done.stdout
    found = rows(tmp_path, "from image_statistics order by image_id, rho")
    assert len(found) == 6 * 2
    plain, noisy = found[:2]
    assert noisy["roughness"] > plain["roughness"]
    assert abs(noisy["contrast"]) < abs(plain["contrast"])
    assert sum(plain["power"]) == pytest.approx(1)
    (sums,) = rows(
        tmp_path,
        "select sum(particle + background) as px, any_value(p.patches) as patches from histograms, "
        "(select sum(patches) as patches from image_statistics where rho = 0) p where rho = 0",
    )
    assert int(sums["px"]) == pytest.approx(int(sums["patches"]) * 32 * 32, rel=0.01)
    assert "nothing to do" in studyspec(tmp_path, "run", "study.toml").stderr
    page = studyspec(tmp_path, "report", "study.toml", "-o", "report.html")
    assert page.stdout.strip() == "report.html"
    text = (tmp_path / "report.html").read_text()
    assert "Intensities" in text
    assert "Trained on one set" not in text


def test_measuring_alone_must_be_enabled(tmp_path: Path) -> None:
    study = make_project(tmp_path, "AB")
    study.write_text(study.read_text() + MEASURE.replace("enabled = true", "enabled = false"))
    done = studyspec(tmp_path, "check", "study.toml", expect=2)
    assert "only = true needs enabled = true" in done.stderr
