"""The page for those who work on studyspec: its code is that of the plug-ins that the tests run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from studyspec.plugins.registry import REGISTRIES

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"<!-- code: (\S+) -->\n```python\n(.*?)```\n", PAGE, re.DOTALL)


@pytest.mark.parametrize(("path", "code"), BLOCKS, ids=[Path(path).stem for path, _ in BLOCKS])
def test_the_code_of_a_how_to_is_that_of_the_demo_package(path: str, code: str) -> None:
    assert code == (ROOT / path).read_text(encoding="utf-8")


def test_there_is_a_how_to_for_every_kind() -> None:
    titles = re.findall(r"^### How to add an? (.*)$", PAGE, re.MULTILINE)
    assert len(titles) == len(REGISTRIES) == 10
    demo = {p.name for p in (ROOT / "tests/plugins/studyspec-demo/studyspec_demo").glob("*.py")}
    assert {Path(path).name for path, _ in BLOCKS} == demo - {"__init__.py"}


def test_every_room_is_on_the_map() -> None:
    rooms = {p.name for p in (ROOT / "studyspec").iterdir() if (p / "__init__.py").exists()}
    for room in rooms:
        assert f"| `{room}/` |" in PAGE
