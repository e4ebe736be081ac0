"""The command `plugins`, and the notes of `check`, with a distribution that is half broken."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.projects import make_project, studyspec

METADATA = "Metadata-Version: 2.1\nName: studyspec-shaky\nVersion: 0.3\n"
ENTRIES = """\
[studyspec.plugins]
step.shaky = shaky_step
step.gone = shaky_gone
chart.gone = shaky_chart
"""
STEP = """
from studyspec.plugins.contracts import Step
from studyspec.plugins.settings import Empty

class Shaky(Step[Empty]):
    name = "shaky"
    settings = Empty
    position = 150

    def describe(self, settings):
        return "nothing is done"

    def apply(self, image, settings):
        return image

SHAKY = Shaky()
"""


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution on the path: one step, and a step and a chart that cannot be imported."""
    folder = tmp_path / "packages"
    info = folder / "studyspec_shaky-0.3.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(METADATA)
    (info / "entry_points.txt").write_text(ENTRIES)
    (folder / "shaky_step.py").write_text(STEP)
    for name in ("shaky_gone", "shaky_chart"):
        (folder / f"{name}.py").write_text("import a_package_that_is_not_there")
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    monkeypatch.setenv("PYTHONPATH", path)


@pytest.mark.usefixtures("packages")
def test_plug_ins_are_listed_and_what_was_left_out(tmp_path: Path) -> None:
    lines = studyspec(tmp_path, "plugins").stdout.splitlines()
    assert lines[0].split() == ["kind", "name", "from", "place"]
    (shaky,) = (line.split() for line in lines if " shaky " in line)
    assert shaky == ["step", "shaky", "studyspec-shaky", "0.3", "shaky_step:SHAKY"]
    left_out = lines[lines.index("") + 1 :]
    assert [line.partition(" is left out: ")[0] for line in left_out] == [
        "step 'gone' of studyspec-shaky 0.3 (shaky_gone)",
        "chart 'gone' of studyspec-shaky 0.3 (shaky_chart)",
    ]
    assert "No module named 'a_package_that_is_not_there'" in left_out[0]


@pytest.mark.usefixtures("packages")
def test_check_notes_once_what_a_study_cannot_have(tmp_path: Path) -> None:
    make_project(tmp_path / "project", "AB")
    done = studyspec(tmp_path / "project", "check", "study.toml")
    assert done.stderr.count("note: ") == 1
    assert done.stderr.startswith("note: step 'gone' of studyspec-shaky 0.3 (shaky_gone) is left")
    assert "dataset" in done.stdout
