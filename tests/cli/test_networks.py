"""Foreign networks, from the command line: rows of the matrix beside trained ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from studyspec.learn.building import build, default_model
from tests.cli.projects import make_project, studyspec

TABLE = """
[networks.theirs]
weights = "theirs.safetensors"

[networks.shuffled]
factory = "their_code:build"
trust = true

[[claims]]
says = "A stranger is no worse than our own"
left = { train = "theirs", test = "B" }
right = { train = "B", test = "own" }
at_least = 0
"""
CODE = """
import torch

def build():
    return torch.nn.Conv2d(1, 2, 1)
"""


def project(folder: Path) -> Path:
    study = make_project(folder, "AB")
    torch.save(build(default_model(), 0).state_dict(), folder / "theirs.h5")
    done = studyspec(folder, "networks", "convert", "theirs.h5")
    assert done.stdout.startswith("theirs.safetensors  ")
    (folder / "their_code.py").write_text(CODE)
    text = study.read_text().replace('train = ["A", "B"]\n', "")
    study.write_text(text + TABLE)
    return study


@pytest.mark.slow
def test_foreign_networks_are_rows_of_the_matrix(tmp_path: Path) -> None:
    project(tmp_path)
    studyspec(tmp_path, "run", "study.toml", "--workers", "2")
    query = "select train, test, folds, dice_mean, dice_sd from matrix order by all"
    studyspec(tmp_path, "sql", query, "--json", "rows.json")
    rows = json.loads((tmp_path / "rows.json").read_text())
    cells = {(row["train"], row["test"]): row for row in rows}
    assert len(cells) == 8
    assert cells["theirs", "A"]["folds"] == cells["shuffled", "B"]["folds"] == 1
    assert cells["theirs", "A"]["dice_sd"] is None
    assert 0 <= cells["theirs", "A"]["dice_mean"] <= 1
    query = "select count(*) as n from scores where train = 'theirs' and fold is null"
    assert studyspec(tmp_path, "sql", query).stdout.split()[-1] == "2"
    plan = json.loads(studyspec(tmp_path, "plan", "study.toml", "--json").stdout)[0]
    assert {job["state"] for job in plan["jobs"]} == {"known"}
    page = studyspec(tmp_path, "report", "study.toml", "-o", "report.html")
    assert "report.html" in page.stdout
    assert "theirs" in (tmp_path / "report.html").read_text()


def test_a_changed_network_is_tested_anew(tmp_path: Path) -> None:
    project(tmp_path)
    studyspec(tmp_path, "check", "study.toml")
    before = json.loads(studyspec(tmp_path, "plan", "study.toml", "--json").stdout)[0]["jobs"]
    (tmp_path / "their_code.py").write_text(CODE + "# another\n")
    after = json.loads(studyspec(tmp_path, "plan", "study.toml", "--json").stdout)[0]["jobs"]
    old, new = ({job["title"]: job["key"] for job in jobs} for jobs in (before, after))
    changed = {title for title, key in new.items() if old[title] != key}
    assert changed == {"test shuffled on A", "test shuffled on B"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"theirs.safetensors"', '"gone.safetensors"', "cannot be read: No such file"),
        ('"their_code:build"', '"their_code"', "toml:40:11: expected package.module:function"),
        ('"theirs.safetensors"', '"their_code.py"', "is no known kind of network"),
        ('left = { train = "theirs", test = "B" }', 'left = { train = "B", test = "theirs" }',
         "'theirs' is a network: it stands alone, and nothing is tested on it"),
        ('right = { train = "B"', 'right = { train = "theirz"', "did you mean 'theirs'?"),
        ("[networks.theirs]", "[networks.B]", "'B' is a dataset and a network; rename one"),
    ],
)  # fmt: skip
def test_mistakes_are_pointed_at(tmp_path: Path, old: str, new: str, message: str) -> None:
    study = project(tmp_path)
    assert old in study.read_text()
    study.write_text(study.read_text().replace(old, new))
    done = studyspec(tmp_path, "check", "study.toml", expect=2)
    assert message in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    torch.save(build(default_model(), 0).state_dict(), tmp_path / "good.h5")
    (tmp_path / "bad.h5").write_bytes(b"none")
    done = studyspec(tmp_path, "networks", "convert", "bad.h5", "good.h5", expect=1)
    assert done.stdout.startswith("good.safetensors  ")
    assert "error: bad.h5: no pickled weights" in done.stderr
    assert "1 of 2 files were not converted" in done.stderr
    assert studyspec(tmp_path, "networks", "convert", "bad.h5", expect=2).stdout == ""


@pytest.mark.slow
def test_predict_tells_how_far_networks_agree(tmp_path: Path) -> None:
    project(tmp_path)
    weights = build(default_model(), 0).state_dict()
    weights["final_conv.bias"] += torch.tensor([0.0, 1e-5])  # the same answers
    torch.save(weights, tmp_path / "near.h5")
    studyspec(tmp_path, "networks", "convert", "near.h5")
    words = ("predict", "theirs.safetensors", "data/A0.npy")
    near = studyspec(tmp_path, *words, "--also", "near.safetensors")
    assert "agreement 1.000" in near.stdout
    same = studyspec(tmp_path, *words, "--also", "theirs.safetensors")  # one network named twice
    assert "agreement" not in same.stdout


def test_a_factory_needs_trust_in_the_study_or_on_the_command_line(tmp_path: Path) -> None:
    study = make_project(tmp_path, "AB")
    (tmp_path / "their_code.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n{CODE}")
    table = '\n[networks.theirs]\nfactory = "their_code:build"\n'
    study.write_text(study.read_text().replace('train = ["A", "B"]\n', "") + table)
    for command in ("check", "plan", "run"):
        done = studyspec(tmp_path, command, "study.toml", expect=2)
        assert "their_code:build: a factory is code" in done.stderr
        assert "[networks.theirs]" in done.stderr
    studyspec(tmp_path, "check", "study.toml", "--trust")
    studyspec(tmp_path, "status", "study.toml")
    assert not (tmp_path / "ran").exists()
