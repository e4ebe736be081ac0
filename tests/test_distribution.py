"""What is shipped: the wheel holds every file that the package needs, and one version."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

import studyspec

ROOT = Path(__file__).parents[1]


def test_the_version_stands_in_one_place() -> None:
    assert version("studyspec") == studyspec.__version__
    found = [
        path.name
        for path in (ROOT / "pyproject.toml", ROOT / "CITATION.cff", ROOT / "README.md")
        if re.search(rf"\b{re.escape(studyspec.__version__)}\b", path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--wheel-dir", str(tmp_path), str(_copy(tmp_path))]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("studyspec-*.whl")
    shipped = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "studyspec"
    files = {
        str(path.relative_to(ROOT))
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files - shipped == set()
    assert any(name.endswith("entry_points.txt") for name in shipped)


def _copy(folder: Path) -> Path:
    """The sources elsewhere: a build leaves things behind."""
    import shutil

    to = folder / "source"
    shutil.copytree(ROOT / "studyspec", to / "studyspec")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, to / name)
    return to
