"""Transfer learning, from the command line: what is gained and what is forgotten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studyspec.learn.building import build
from studyspec.learn.networks import Description
from studyspec.learn.weights import save
from tests.cli.projects import make_project, studyspec
from tests.learn.patches import model

TUNED = """
[variants.tuned]
matrix = { train = ["B", "B:2"], test = ["A", "B"] }
training.start_from = { train = "A", variant = "base" }
training.freeze = ["downs"]
training.epochs = 1

[[claims]]
says = "Tuning to B forgets A"
left = { train = "B", test = "A", variant = "tuned" }
right = { train = "A", test = "own" }
at_most = 0
"""


def project(folder: Path, text: str = TUNED) -> Path:
    study = make_project(folder, "AB")
    study.write_text(study.read_text() + text)
    return study


def jobs(folder: Path) -> dict[str, dict[str, str]]:
    """Key, state and reason of every job, by its title."""
    told = json.loads(studyspec(folder, "plan", "study.toml", "--json").stdout)[0]["jobs"]
    return {job["title"]: job for job in told}


def rows(folder: Path, query: str) -> list[dict[str, object]]:
    studyspec(folder, "sql", query, "--json", "rows.json")
    found: list[dict[str, object]] = json.loads((folder / "rows.json").read_text())
    return found


@pytest.mark.slow
def test_pretraining_and_tuning_are_rows_of_one_matrix(tmp_path: Path) -> None:
    study = project(tmp_path)
    studyspec(tmp_path, "run", "study.toml", "--workers", "2")
    cells = rows(tmp_path, "select variant, train, test, folds from matrix order by all")
    assert {(c["variant"], c["train"], c["test"]) for c in cells if c["variant"] == "tuned"} == {
        ("tuned", train, test) for train in ("B", "B:2") for test in "AB"
    }
    assert {c["folds"] for c in cells} == {2}
    chained = rows(
        tmp_path,
        "select count(*) as n from stored.train t join stored.train s on "
        "t.start_sha256 = s.weights_sha256 where t.parameters < s.parameters",
    )
    assert chained == [{"n": 4}]
    assert {job["state"] for job in jobs(tmp_path).values()} == {"known"}
    studyspec(tmp_path, "report", "study.toml", "-o", "page.html")
    assert "2 images of B" in (tmp_path / "page.html").read_text()
    study.write_text(study.read_text().replace("epochs = 2", "epochs = 3"))
    after = jobs(tmp_path)
    reason = after["train B (tuned), fold 0"]["reason"]
    assert reason == "the network that it starts from changed"
    assert after["test B (tuned) on A, fold 0"]["reason"] == "its network changed"


def test_a_file_that_a_study_starts_from_is_known_by_its_bytes(tmp_path: Path) -> None:
    start = 'training.start_from.weights = "theirs.safetensors"\n'
    study = project(tmp_path, f"\n[variants.tuned]\n{start}")
    path = tmp_path / "theirs.safetensors"
    keys = []
    for seed in (1, 2):
        save(build(model(), seed).state_dict(), path, Description(model=model()))
        keys.append({title: job["key"] for title, job in jobs(tmp_path).items()})
    changed = {title for title in keys[0] if keys[0][title] != keys[1][title]}
    assert changed == {title for title in keys[0] if "(tuned)" in title}
    wider = model(first_filters=8)
    save(build(wider, 1).state_dict(), path, Description(model=wider))
    told = studyspec(tmp_path, "check", "study.toml", expect=2).stderr
    assert "holds weights of another architecture" in told
    assert '{"first_filters":8}' in told
    path.unlink()
    told = studyspec(tmp_path, "check", "study.toml", expect=2).stderr
    line = study.read_text().split("\n").index(start.strip()) + 1
    assert f"study.toml:{line}:" in told
    assert "theirs.safetensors: cannot be read: No such file" in told


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"B:2"', '"B:9"', "9 images cannot be drawn of 'B', which has 3; draw fewer"),
        ('"B:2"', '"A:2"', "'A:2' (tuned) and 'A' (base) hold images of 'A', and hold out diff"),
        ('train = "A", variant = "base"', 'train = "A:7"', "7 images cannot be drawn of 'A'"),
        ('kind = "B"\n', 'kind = "B"\ntake = 4\n', "4 images cannot be drawn of 'B', which has 3"),
    ],
)
def test_what_cannot_be_is_told_before_anything_runs(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    study = project(tmp_path)
    assert old in study.read_text()
    study.write_text(study.read_text().replace(old, new))
    done = studyspec(tmp_path, "check", "study.toml", expect=2)
    assert message in done.stderr, done.stderr


def test_a_drawn_dataset_is_a_part_of_the_whole(tmp_path: Path) -> None:
    study = project(tmp_path, "")
    whole = jobs(tmp_path)
    drawn = study.read_text().replace('kind = "B"\n', 'kind = "B"\ntake = 2\n')
    study.write_text(drawn)
    prepared = {title for title in jobs(tmp_path) if title.startswith("prepare ")}
    assert len(prepared) == 5
    assert prepared < whole.keys()
    study.write_text(drawn.replace("take = 2\n", "take = 2\ntake_seed = 3\n"))
    assert {t for t in jobs(tmp_path) if t.startswith("prepare ")} != prepared
