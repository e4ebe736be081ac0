"""Study files for the tests: a plain one, and a mark for the place of a mistake."""

from __future__ import annotations

from pathlib import Path

from studyspec.errors import Problem, SpecError
from studyspec.spec.loading import LoadedStudy, load

HEAD = """[study]
name = "plain"
"""
PLAIN = f"""{HEAD}[datasets.Au]
material = "Au"
[datasets.Ag]
material = "Ag"
"""
FILE = "study.toml"
MARK = "»"


def write(folder: Path, text: str) -> Path:
    """A study file with this text."""
    path = folder / FILE
    path.write_text(text, encoding="utf-8")
    return path


def loaded(folder: Path, text: str = "", profile: str | None = None) -> LoadedStudy:
    """The plain study with more text after it."""
    return load(write(folder, PLAIN + text), profile)


def problems(folder: Path, text: str, profile: str | None = None) -> tuple[Problem, ...]:
    """What is wrong with a text."""
    try:
        load(write(folder, text), profile)
    except SpecError as error:
        return error.problems
    return ()


def marked(text: str) -> tuple[str, int, int]:
    """A text without its mark, and the mark's line and column."""
    before, _, after = text.partition(MARK)
    line = before.count("\n") + 1
    return before + after, line, len(before) - (before.rfind("\n") + 1) + 1
