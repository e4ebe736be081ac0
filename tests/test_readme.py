"""The README is the manual: its commands run, its study loads, its paths exist."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from studyspec.spec.loading import load
from studyspec.spec.study import Study
from tests.cli.projects import studyspec

PROJECT = Path(__file__).parents[1]
README = (PROJECT / "README.md").read_text()
SMALLER = {
    "steps = 100": "steps = 10",
    "take = 16": "take = 6",
    "[evaluation]": "[cross_validation]\nfolds = 2\n\n[evaluation]",
}


def blocks(language: str) -> list[str]:
    """The contents of the README's code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.S | re.M)


def test_the_study_of_the_readme_loads(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text("\n".join(blocks("toml")))
    study = load(tmp_path / "study.toml", "paper").study
    assert isinstance(study, Study)
    assert study.catalog.collection == "sytwu-2023"


def test_files_that_the_readme_links_are_there() -> None:
    for target in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (PROJECT / target).exists(), target


def test_make_knows_the_targets_that_the_readme_names() -> None:
    targets = re.findall(r"^make ([\w-]+)", "\n".join(blocks("sh")), re.M)
    makefile = (PROJECT / "Makefile").read_text()
    assert {"install", "demo", "test", "check", "bench"} <= set(targets)
    assert all(re.search(rf"^{target}:", makefile, re.M) for target in targets)


def test_every_command_of_the_readme_exists() -> None:
    words = set(re.findall(r"`?studyspec (\w+)", README)) - {"import"}
    for word in sorted(words):
        studyspec(PROJECT, word, "--help")


@pytest.mark.slow
def test_the_tour_of_the_readme_runs(tmp_path: Path) -> None:
    folder = tmp_path
    (block,) = blocks("console")
    for line in block.splitlines():
        words = shlex.split(line.removeprefix("$ "))
        if words[0] == "cd":
            folder /= words[1]
            continue
        assert words[0] == "studyspec"
        studyspec(folder, *words[1:])
        if words[1] == "init":
            study = folder / words[2] / "studies" / "first.toml"
            text = study.read_text()
            for old, new in SMALLER.items():
                assert old in text
                text = text.replace(old, new)
            study.write_text(text)
    assert (folder / "first.html").stat().st_size > 0
    for code in blocks("python"):
        code = code.replace("studies/material.toml", str(folder / "studies" / "first.toml"))
        for call in ("open", "Workplace"):
            code = code.replace(f'{call}("results")', f'{call}("{folder}/results")')
        code = code.replace("material/Au", "first/Au")
        exec(compile(code.replace('"material"', '"first"'), "README.md", "exec"), {})


def test_the_lock_file_pins_what_the_project_needs() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    pinned = {
        line.partition("==")[0].lower().replace("_", "-"): line.partition("==")[2]
        for line in (PROJECT / "requirements.lock").read_text().splitlines()
        if not line.startswith("#")
    }
    needed = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    for requirement in needed:
        name = re.split(r"[<>=]", requirement)[0].lower()
        assert name in pinned, name
    assert (pinned["torch"], pinned["duckdb"]) == ("2.13.0", "1.5.6")
    assert not [name for name in pinned if name.startswith("nvidia")]
