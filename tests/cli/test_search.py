"""A search from the command line: trials are jobs, the winner is a variant, it resumes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.projects import make_project, studyspec

SEARCH = """
[search]
datasets = ["C"]
trials = 3
batch = 2
epochs = 1

[search.space]
"training.learning_rate" = { low = 1e-4, high = 1e-1, log = true }
"model.first_filters" = [2, 4]
"""


def project(folder: Path, search: str = SEARCH) -> Path:
    study = make_project(folder)
    text = study.read_text().replace("[matrix]", '[datasets.C]\nkind = "C"\n\n[matrix]')
    study.write_text(text.replace('["A", "B"]', '["A"]') + search)
    return study


@pytest.mark.slow
def test_what_a_search_finds_becomes_a_variant(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    project(tmp_path)
    before = json.loads(studyspec(tmp_path, "plan", "study.toml", "--json").stdout)[0]["jobs"]
    trials = [job["title"] for job in before if "trial" in job["title"]]
    assert trials == ["train C (trial 0), fold 0", "train C (trial 1), fold 0"]
    done = studyspec(tmp_path, "run", "study.toml", "--workers", "2")
    assert {line.split()[0] for line in done.stdout.splitlines()[2:4]} == {"base", "found"}
    studyspec(tmp_path, "sql", "from trials order by trial", "--json", "trials.json")
    rows = json.loads((tmp_path / "trials.json").read_text())
    best = min(rows, key=lambda row: row["validation_loss"])
    assert [row["best"] for row in rows] == [row is best for row in rows]
    query = "select value from variant_setting where variant = 'found' and setting like '%filters'"
    value = studyspec(tmp_path, "sql", query).stdout.split()[-1]
    assert value == str(json.loads(best["settings"])["model.first_filters"])
    assert "nothing to do" in studyspec(tmp_path, "run", "study.toml").stderr


def test_a_search_on_what_is_tested_is_refused(tmp_path: Path) -> None:
    study = project(tmp_path)
    study.write_text(study.read_text().replace('datasets = ["C"]', 'datasets = ["A"]'))
    done = studyspec(tmp_path, "check", "study.toml", expect=2)
    assert "the search would see images of 'A' that 'A' tests on" in done.stderr


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('datasets = ["C"]', 'datasets = ["D"]', "unknown dataset 'D'"),
        ('"model.first_filters"', '"model.first_filter"', "unknown setting 'model.first_filter'"),
        ("low = 1e-4", "low = 0", "log = true needs low > 0"),
    ],
)
def test_mistakes_are_pointed_at(tmp_path: Path, old: str, new: str, message: str) -> None:
    study = project(tmp_path)
    study.write_text(study.read_text().replace(old, new))
    done = studyspec(tmp_path, "check", "study.toml", expect=2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
