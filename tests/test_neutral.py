from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studyspec.neutral import CONTROL, for_csv, for_latex, for_markdown, for_terminal
from studyspec.store.answer_files import write_csv
from studyspec.store.snapshot import Table
from tests.cli.projects import make_project, studyspec

ESCAPES = ["\x1b]0;owned\x07", "\x1b[2J", "\x9b2J", "a\rb", "\u202egnp.exe", "\x08\x08", "\x7f"]
FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"]


@given(st.text())
def test_no_text_does_anything_to_a_terminal(text: str) -> None:
    assert not CONTROL.search(for_terminal(text))


@pytest.mark.parametrize("text", ESCAPES)
def test_escapes_are_shown_as_letters(text: str) -> None:
    assert "\\x" in for_terminal(text) or "\\u" in for_terminal(text) or "\\r" in for_terminal(text)
    assert for_terminal("µ 5 Å\n\tñ") == "µ 5 Å\n\tñ"


@pytest.mark.parametrize("text", FORMULAS)
def test_a_spreadsheet_calculates_nothing(tmp_path: Path, text: str) -> None:
    write_csv(Table((text,), ("VARCHAR",), [(text,)]), tmp_path / "a.csv")
    read = list(csv.reader(io.StringIO((tmp_path / "a.csv").read_bytes().decode(), newline="")))
    assert read == [[f"'{text}"], [f"'{text}"]]
    assert [for_csv(cell) for cell in (-5, "-5", "+1e3", "a=b", None)] == [
        -5,
        "-5",
        "+1e3",
        "a=b",
        None,
    ]


@given(st.text())
def test_markdown_is_one_line_without_tags_links_and_cells(text: str) -> None:
    line = for_markdown(text)
    assert "\n" not in line
    assert "<" not in line
    for mark in "[]|`*":
        assert line.replace(f"\\{mark}", "").count(mark) == 0


@given(st.text())
def test_latex_has_no_commands_but_ours(text: str) -> None:
    made = for_latex(text)
    assert "\n" not in made
    for ours in ("\\textbackslash{}", "\\textasciitilde{}", "\\textasciicircum{}", "\\textless{}"):
        made = made.replace(ours, "")
    made = made.replace("\\textgreater{}", "")
    for mark in "{}&%$#_":
        made = made.replace(f"\\{mark}", "")
    assert not set(made) & set("\\{}&%$#_~^<>")


def test_no_name_of_a_catalog_reaches_the_terminal_as_an_escape(tmp_path: Path) -> None:
    make_project(tmp_path, "A")
    metadata = tmp_path / "data" / "metadata.csv"
    metadata.write_text(metadata.read_text().replace("kind", "kind,material").replace(
        ",A\n", ",A,\x1b]0;owned\x07\n"
    ))  # fmt: skip
    words = ("catalog", "add", "data", "--metadata", "data/metadata.csv", "--catalog", "c.parquet")
    studyspec(tmp_path, *words)
    listed = on_terminal(tmp_path, "catalog", "ls", "--catalog", "c.parquet")
    refused = on_terminal(tmp_path, "check", "\x1b[2J.toml")
    assert b"\\x1b]0;owned" in listed
    assert b"\\x1b[2J.toml" in refused
    assert not any(one in listed + refused for one in (b"\x1b]0", b"\x1b[2J", b"\x07"))


def on_terminal(folder: Path, *words: str) -> bytes:
    """What a command sends to a real terminal."""
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "studyspec", *words]
    with subprocess.Popen(command, cwd=folder, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        sent = b""
        with suppress(OSError):  # Linux tells the end of a terminal in this way
            while part := os.read(ours, 4096):
                sent += part
        process.wait(240)
    os.close(ours)
    return sent
