"""What a tired person reads: one message that says what, where and what to do; no traceback."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from studyspec import api
from studyspec.api.workplace import study_files
from tests.cli.projects import STUDY, make_project, studyspec

PROJECT = Path(__file__).parents[2]
IMAGEWISE = 'folds = 4\nunit = "image"\nseeds = [1, 2, 3, 4]'


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("errors")
    make_project(folder, "AB")
    return folder


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('kind = "B"', 'kind = "Z"', "study.toml:12:2: dataset 'B' matches no image of 'mine'"),
        ('kind = "B"', 'knid = "B"', "study.toml:13:1: unknown column 'knid'; did you mean"),
        ('kind = "B"', "kind = 5", "study.toml:13:8: column 'kind' is compared with 5"),
        ('"mine"', '"mien"', "study.toml:7:14: unknown collection 'mien'; there are mine"),
        ("epochs = 2", 'epochs = "two"', "study.toml:27:10: expected a whole number"),
        ("epochs = 2", "epoch = 2", "study.toml:27:1: unknown key 'epoch'; did you mean"),
        ("folds = 2", IMAGEWISE, "has 3 images, fewer than 4"),
        ('train = ["A", "B"]', 'train = ["A+C"]', "study.toml:16:10: unknown dataset 'C'"),
        ('kind = "B"', 'kind = ["A", "B"]', ""),
    ],
)  # fmt: skip
def test_check_points_at_the_mistake(project: Path, old: str, new: str, message: str) -> None:
    assert old in STUDY
    (project / "study.toml").write_text(STUDY.replace(old, new))
    done = studyspec(project, "check", "study.toml", expect=2 if message else 0)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_union_of_sets_that_share_images_is_refused(project: Path) -> None:
    text = STUDY.replace('kind = "B"', 'kind = ["A", "B"]')
    (project / "study.toml").write_text(text.replace('train = ["A", "B"]', 'train = ["A+B"]'))
    done = studyspec(project, "check", "study.toml", expect=2)
    assert "'A' and 'B' share 3 images" in done.stderr
    assert "no fold of 'A+B' can hold them out" in done.stderr


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["check", "none.toml"], 2, "none.toml: no such study file; expected study.toml"),
        (
            ["run", "study.toml", "--on", "cloud"],
            2,
            "no engine 'cloud' is installed; there is: inline, local",
        ),
        (["run", "study.toml", "--devices", "cuda:99"], 2, "no device 'cuda:99' here"),
        (["sql", "select 1", "--results", "nowhere"], 3, "nowhere: no results"),
        (["report", "study.toml", "--results", "nowhere"], 3, "no"),
        (["check", "study.toml", "--profile", "papr"], 2, "unknown profile 'papr'"),
        (["init", "."], 2, "the folder is not empty"),
        (
            ["catalog", "add", "none", "--metadata", "x.csv"],
            2,
            "x.csv: cannot be read: No such file",
        ),
        (["catalog", "ls", "--catalog", "none.parquet"], 2, "no catalog here"),
    ],
)
def test_mistakes_on_the_command_line(
    project: Path, words: list[str], status: int, message: str
) -> None:
    (project / "study.toml").write_text(STUDY)
    done = studyspec(project, *words, expect=status)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_help_is_light() -> None:
    code = (
        "import sys; sys.argv = ['studyspec', '--help']\n"
        "from studyspec.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'altair', 'duckdb', 'numpy', 'scipy', 'pydantic', 'studyspec.api'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_init_makes_a_project_that_checks(tmp_path: Path) -> None:
    begun = studyspec(tmp_path, "init", "first")
    assert begun.stderr.splitlines()[-1] == "next: studyspec run first/studies/first.toml"
    made = begun.stdout.split()
    assert made[1] == "first/studies/study.schema.json"
    assert json.loads((tmp_path / made[1]).read_text()) == api.schema()
    done = studyspec(tmp_path, "check", "first/studies/first.toml")
    assert "Ag" in done.stdout


STUDIES = study_files(PROJECT / "studies")
TO_BE_SIMULATED = ("transfer-defocus", "whole")
"""A study and its profile whose images are not in the catalog: the study says how they are made."""


@pytest.mark.parametrize("study", STUDIES, ids=lambda path: path.stem)
def test_every_shipped_study_checks_under_each_profile(study: Path) -> None:
    profiles = tomllib.loads(study.read_text()).get("profiles", {})
    for profile in (None, *(name for name in profiles if (study.stem, name) != TO_BE_SIMULATED)):
        checked = api.check(study, profile)
        assert all(dataset.images for dataset in checked.datasets.values())


def test_check_lists_one_image_under_two_names(tmp_path: Path) -> None:
    make_project(tmp_path, "AB")
    shutil.copy(tmp_path / "data" / "A0.npy", tmp_path / "data" / "B1.npy")
    done = studyspec(tmp_path, "check", "study.toml")
    assert "one image under 2 names, kept in one part of each fold: data/A0.npy\n" in done.stdout
    assert "  data/B1.npy\n" in done.stdout
