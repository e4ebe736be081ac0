"""Plug-ins that break every promise: each error names the distribution and the object."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.projects import make_project
from tests.plugins.environments import Environment

pytestmark = pytest.mark.slow
WHO = "studyspec-broken 0.0.1"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment.make(tmp_path_factory.mktemp("environment"), "studyspec-broken")


def small_project(folder: Path, more: str = "", variant: str = "") -> Path:
    """One dataset against itself, with a table more, or a variant of one table."""
    study = make_project(folder, "A")
    text = study.read_text().replace('[datasets.B]\nkind = "B"\n', "").replace('"A", "B"', '"A"')
    changed = variant.replace("[", "[variants.bad.", 1)
    study.write_text(f"{text}\n{more}\n{changed}\n")
    return study


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("[preprocess.absent]", "No module named 'a_package_that_is_not_installed'"),
        ("[preprocess.unmodelled]", "its settings are no model"),
        ("[preprocess.everywhere]", "standard = True is for studyspec's own"),
        ("[augment.noise]\nrho = 0.5", "the name is taken by studyspec"),
    ],
)
def test_what_was_left_out_is_told_where_it_is_named(
    environment: Environment, tmp_path: Path, table: str, told: str
) -> None:
    study = small_project(tmp_path, more=table)
    found = environment.studyspec("check", study.name, cwd=study.parent)
    assert found.returncode == 2
    assert told in found.stderr
    assert WHO in found.stderr
    assert "Traceback" not in found.stderr


def test_a_study_that_names_none_of_them_is_as_before(
    environment: Environment, tmp_path: Path
) -> None:
    study = small_project(tmp_path)
    found = environment.studyspec("check", study.name, cwd=study.parent)
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("[preprocess.raises]", "ZeroDivisionError: nothing to divide by"),
        ("[preprocess.cuts]", "its label is (64, 64) but the image (63, 64)"),
        ("[preprocess.empties]", "not all finite"),
        ("[augment.halves]", "shape"),
        ("[training.loss]\nname = 'vector'", "vector"),
    ],
)
def test_what_fails_in_a_worker_costs_its_own_jobs_alone(
    environment: Environment, tmp_path: Path, table: str, told: str
) -> None:
    study = small_project(tmp_path, variant=table)
    found = environment.studyspec("run", study.name, cwd=study.parent)
    assert found.returncode == 1, found.stderr
    assert told in found.stderr
    assert WHO in found.stderr
    plain = environment.studyspec(
        "sql", "select count(*) from scores where variant = 'base'", cwd=study.parent
    )
    assert plain.stdout.split()[-1] != "0"


def test_a_chart_that_fails_costs_only_itself(environment: Environment, tmp_path: Path) -> None:
    study = small_project(tmp_path)
    assert environment.studyspec("run", study.name, cwd=study.parent).returncode == 0
    made = environment.studyspec("report", study.name, "-o", "page.html", cwd=study.parent)
    assert made.returncode == 0, made.stderr
    page = (study.parent / "page.html").read_text()
    assert WHO in page
    assert "no such column" in page
