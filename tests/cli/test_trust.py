"""`studyspec trust` from end to end: a study is run, then its networks are asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.projects import disc_image, make_project, studyspec


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trust")
    make_project(folder, "AB")
    studyspec(folder, "run", "study.toml", "--workers", "1")
    new = folder / "new"
    new.mkdir()
    for i in range(2):
        disc_image(new, f"x{i}", seed=900 + i, bright=20)
    return folder


@pytest.mark.slow
def test_images_are_judged_sorted_by_doubt_and_the_threshold_is_the_exit_status(
    project: Path,
) -> None:
    found = studyspec(
        project, "trust", "discs/A", "new", "--json", "--threshold", "0.999", "-o", "t.html",
        expect=1,
    )  # fmt: skip
    told = json.loads(found.stdout)
    dice = [row["expected_dice"] for row in told["rows"]]
    assert len(dice) == 4  # two folds, two images; labels are no images
    assert dice == sorted(dice)
    assert len(told["below"]) == 2
    assert all(row["low"] <= row["expected_dice"] <= row["high"] for row in told["rows"])
    assert all(row["reasons"] for row in told["rows"])
    assert told["rows"][0]["predictors"]["folds"] is not None
    assert told["rows"][0]["predictors"]["strange_roughness"] is not None
    assert "in a store" in told["learnt_from"]
    assert "images asked about" in found.stderr
    page = (project / "t.html").read_text()
    assert page.index("x0.npy") > 0
    assert "The most doubtful first" in page


@pytest.mark.slow
def test_what_was_learnt_is_kept_and_reached_images_are_no_failure(project: Path) -> None:
    found = studyspec(project, "trust", "discs/A/0", "new/x0.npy", "--threshold", "0")
    assert "images asked about" not in found.stderr  # the store has not grown
    assert (project / "results" / "trust.json").exists()
    header, _, row = found.stdout.splitlines()[:3]
    assert header.split() == ["image", "network", "dice", "90", "%", "nearest", "confidence"]
    assert row.startswith("x0.npy")
    assert "both baselines" in found.stderr


def test_validation_of_what_is_shipped_is_printed(tmp_path: Path) -> None:
    found = studyspec(tmp_path, "trust", "--validation")
    assert "condition held out" in found.stdout
    assert "area under the curve" in found.stdout


def test_next_names_conditions_and_how_to_simulate_them(tmp_path: Path) -> None:
    rows = json.loads(studyspec(tmp_path, "trust", "--next", "2", "--json").stdout)
    assert len(rows) == 2
    assert all(row["half_width_then"] < row["half_width"] for row in rows)
    assert rows[0]["command"].startswith("studyspec catalog simulate")


def test_a_mistake_is_one_message(tmp_path: Path) -> None:
    found = studyspec(tmp_path, "trust", "nothing.safetensors", "a.npy", expect=2)
    assert "nothing.safetensors: no such network" in found.stderr
    assert "Traceback" not in found.stderr
    found = studyspec(tmp_path, "trust", "a.npy", expect=2)
    assert "name at least one network and one image" in found.stderr
