from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from studyspec.cli.causes import OF_SYSTEM, explained
from studyspec.errors import FileError
from tests.cli.projects import make_project, studyspec


@pytest.mark.parametrize("number", OF_SYSTEM)
def test_every_cause_of_the_table_is_told_with_its_file_and_a_way_out(number: int) -> None:
    told = explained(OSError(number, os.strerror(number), "/data/x"))
    assert told is not None
    assert (told.where, told.what, told.hint) == ("/data/x", os.strerror(number), OF_SYSTEM[number])


def test_a_bug_keeps_its_traceback() -> None:
    assert explained(KeyError("x")) is None
    assert explained(OSError("no number")) is None


def test_what_is_below_an_error_is_told() -> None:
    above = RuntimeError("a job failed")
    above.__cause__ = OSError(errno.ENOSPC, "No space left on device", "/data")
    told = explained(above)
    assert told is not None
    assert told.where == "/data"
    error = FileError("no such file")
    assert explained(error) is error


def test_errors_of_the_database_are_known_by_their_names() -> None:
    told = explained(duckdb.IOException("could not write"))
    assert told is not None
    assert "could not write" in told.text


def test_half_a_database_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    with duckdb.connect(str(tmp_path / "results" / "studyspec.duckdb")) as made:
        made.execute("create table t as select * from range(100000)")
    path = tmp_path / "results" / "studyspec.duckdb"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    done = studyspec(tmp_path, "sql", "from scores", expect=None)
    assert done.returncode in (2, 3)
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    make_project(tmp_path, "A")
    command = f"{sys.executable} -m studyspec schema | head -1"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=240
    )
    assert "Traceback" not in done.stderr
