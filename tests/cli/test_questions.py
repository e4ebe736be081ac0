"""Questions to the store from the command line and from Python."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.main import get_command

import studyspec as package
from studyspec import api
from studyspec.cli.main import app
from studyspec.errors import NothingThere, QueryError
from tests.cli.projects import make_project, studyspec

EMPTY = {"@trials", "@images", "@failures"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has been run once."""
    folder = tmp_path_factory.mktemp("questions")
    make_project(folder, "AB", images=7)
    studyspec(folder, "run", "study.toml", "--workers", "2")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", api.named_queries())
def test_every_named_query_has_an_answer(project: Path, name: str) -> None:
    lines = studyspec(project, "sql", name).stdout.splitlines()
    assert len(lines) >= (2 if name in EMPTY else 3)


@pytest.mark.slow
def test_names_are_listed_and_a_wrong_one_is_told(project: Path) -> None:
    assert "@matrix" in studyspec(project, "sql", "@").stdout
    lost = studyspec(project, "sql", "@matrixx", expect=2)
    assert "no query '@matrixx'; did you mean 'matrix'?" in lost.stderr


@pytest.mark.slow
def test_statements_from_a_pipe_are_answered_one_by_one(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "studyspec", "sql"],
        cwd=project,
        input="select 1 as one\nselect nothing\n@studies\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[0] == "one"
    assert "discs" in done.stdout
    assert done.stderr.count("error: ") == 1


@pytest.mark.slow
def test_compare_tells_the_difference_and_its_interval(project: Path) -> None:
    text = studyspec(project, "compare", "A", "B", "--on", "A").stdout
    matrix = {
        (row["train"], row["test"]): float(str(row["dice_mean"]))
        for row in package.open(project / "results").matrix("discs").dicts()
    }
    first, second = matrix["A", "A"], matrix["B", "A"]
    assert f"{first:.4f}" in text
    assert f"{second:.4f}" in text
    shown = f"{first - second:.3f}".replace("-", "−")
    assert f"difference {shown}, 95 % interval" in text
    assert "7 micrographs, 2 folds" in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("A", "C", "--on", "A"), "no study tests 'A' and 'C' on 'A'"),
        (("A", "B", "--on", "A", "--metric", "dise"), "no metric 'dise'; did you mean 'dice'?"),
        (("A", "B", "--on", "A", "--study", "x"), "study 'x' has no results yet"),
    ],
)
def test_what_cannot_be_compared_is_told(
    project: Path, words: tuple[str, ...], message: str
) -> None:
    done = studyspec(project, "compare", *words, expect=None)
    assert done.returncode in (2, 3)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_notebook_gets_frames_and_charts(project: Path) -> None:
    opened = package.open(project / "results")
    matrix = opened.matrix("discs")
    assert len(matrix.rows) == 4
    assert "<th>dice_mean</th>" in matrix._repr_html_()
    spec = matrix.chart().to_dict()
    shown = json.dumps(spec)
    assert f"{matrix.dicts()[0]['dice_mean']:.2f}" in shown
    assert opened.sql("@studies").dicts()[0]["study"] == "discs"
    with pytest.raises(NothingThere, match="study 'disks' has no scores here; there are discs"):
        opened.matrix("disks")
    with pytest.raises(QueryError):
        opened.sql("drop table x")


@pytest.mark.slow
def test_exports_need_no_browser(project: Path) -> None:
    words = ("report", "study.toml", "--export", "out")
    files = {Path(line).name for line in studyspec(project, *words).stdout.splitlines()}
    assert {f"matrix-base-dice.{s}" for s in ("svg", "png", "pdf")} <= files
    assert {"cells.csv", "folds.csv", "images.csv", "curves.csv", "matrix.tex"} <= files
    out = project / "out"
    assert (out / "matrix-base-dice.png").read_bytes().startswith(b"\x89PNG")
    assert (out / "matrix-base-dice.pdf").read_bytes().startswith(b"%PDF")
    assert "currentColor" not in (out / "matrix-base-dice.svg").read_text()
    assert (out / "cells.csv").read_text().count("\n") == 5


@pytest.mark.slow
def test_several_studies_get_an_index_and_a_document(project: Path) -> None:
    text = (project / "study.toml").read_text().replace('"discs"', '"more"')
    claim = '[[claims]]\nsays = "A | B"\nleft = { train = "A", test = "B" }\n'
    text += claim + 'right = { train = "B", test = "own" }\nat_least = 0\n'
    (project / "more.toml").write_text(text)
    studyspec(project, "run", "more.toml")
    index = Path(studyspec(project, "report", "study.toml", "more.toml").stdout.strip())
    assert index.name == "index.html"
    assert {path.name for path in index.parent.iterdir()} == {
        "index.html", "discs.html", "more.html",
    }  # fmt: skip
    assert 'href="more.html"' in index.read_text()
    studyspec(project, "report", "study.toml", "more.toml", "--markdown", "all.md")
    document = (project / "all.md").read_text()
    assert "| [more](#more) |" in document
    assert "A \\| B." in document


@pytest.mark.parametrize("installed", ["polars", "pandas", "pyarrow", None])
def test_frames_are_of_what_is_installed(
    installed: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[dict[str, Any]] = []

    class Frame:
        def __init__(self, columns: dict[str, Any]) -> None:
            made.append(columns)

        @classmethod
        def from_pydict(cls, columns: dict[str, Any]) -> Frame:
            return cls(columns)

    for name in ("polars", "pandas", "pyarrow"):
        module = ModuleType(name)
        vars(module).update(DataFrame=Frame, Table=Frame)
        monkeypatch.setitem(sys.modules, name, module if name == installed else None)
    rows = api.Rows(("a", "b"), ((1, 2), (3, 4)))
    if installed is None:
        with pytest.raises(NothingThere, match="no library of frames is installed"):
            rows.frame()
    else:
        assert isinstance(rows.frame(), Frame)
        assert made == [{"a": [1, 3], "b": [2, 4]}]


def commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    inner = getattr(command, "commands", None)
    if not inner:
        return [(path, command)]
    return [found for name, sub in inner.items() for found in commands(sub, (*path, name))]


@pytest.mark.parametrize(("path", "command"), commands(get_command(app)), ids=lambda v: str(v))
def test_the_help_of_every_command_has_an_example_of_it(
    path: tuple[str, ...], command: Any
) -> None:
    assert f"Example: studyspec {' '.join(path)}" in (command.help or "")


@pytest.mark.slow
def test_the_prompt_of_a_terminal_completes_and_remembers(project: Path, tmp_path: Path) -> None:
    terminal, inside = pty.openpty()
    environment = {
        **os.environ,
        "XDG_STATE_HOME": str(tmp_path),
        "TERM": "xterm",
        "PROMPT_TOOLKIT_NO_CPR": "1",
    }
    command = [sys.executable, "-m", "studyspec", "sql"]
    process = subprocess.Popen(
        command, cwd=project, env=environment, stdin=inside, stdout=inside, stderr=inside
    )
    os.close(inside)

    def until(text: str, patience_s: float = 60.0) -> str:
        shown, end = "", time.monotonic() + patience_s
        while text not in shown and time.monotonic() < end:
            if select.select([terminal], [], [], 0.2)[0]:
                shown += os.read(terminal, 4096).decode(errors="replace")
        assert text in shown
        return shown

    try:
        until("sql>")
        os.write(terminal, b"select 6 *\r")
        until("...>")
        os.write(terminal, b"7 as answer;\r")
        assert "42" in until("42")
        os.write(terminal, b"select nothing;\r")
        until("error: ")
        os.write(terminal, b"@stud\t")
        until("ies")
        os.write(terminal, b"\r")
        if "sql>" not in until("discs").rpartition("discs")[2]:
            until("sql>")
        os.write(terminal, b"\x04")
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
    (history,) = tmp_path.rglob("sql_history")
    assert "+@studies" in history.read_text()
