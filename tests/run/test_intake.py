"""The database may be open elsewhere: a run goes on, and takes its results in when it can."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from studyspec.errors import DatabaseBusy
from studyspec.run import intake
from studyspec.run.runner import Options, run
from studyspec.store.folder import Results
from studyspec.store.ingest import ingest
from studyspec.store.queries import user_query
from tests.run import workloads

VIEWER = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reading")
print("open", flush=True)
input()
"""
INLINE = Options(engine="inline")


@contextmanager
def viewed(results: Results, how: str = "reading") -> Iterator[int]:
    """Another program has the database open; its process number."""
    command = [sys.executable, "-c", VIEWER, str(results.database), how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as viewer:
        assert viewer.stdout is not None
        assert viewer.stdout.readline() == b"open\n"
        yield viewer.pid
        viewer.communicate(b"\n")


def attempts(results: Results) -> int:
    """How many attempts the database knows."""
    return len(user_query(results, "from attempts").rows)


@pytest.fixture
def results(tmp_path: Path) -> Results:
    results = Results(tmp_path / "results")
    run(workloads.study(tmp_path, "A")[:1], results, INLINE)
    return results


def test_a_viewer_holds_up_no_run(
    tmp_path: Path,
    results: Results,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(intake, "LAST_PATIENCE_S", 0.0)
    with viewed(results) as pid:
        assert run(workloads.study(tmp_path, "A")[:2], results, INLINE).done == 1
        assert attempts(results) == 1
    [told] = [record.message for record in caplog.records]
    assert f"(PID {pid}) has the database open; close it there; results are kept" in told
    assert "delete" not in told
    assert ingest(results) == 1
    assert attempts(results) == 2


def test_results_are_taken_in_as_soon_as_the_viewer_has_ended(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "INGEST_S", 0.0)
    tried = []

    def take_in(results: Results, patience_s: float) -> int:
        tried.append(patience_s)
        return ingest(results, patience_s)

    taking = intake.Intake(results, take_in)
    for name in results.records.iterdir():
        name.with_name(f"{name.name.partition('.')[0]}.copy.json").write_bytes(name.read_bytes())
    with viewed(results):
        taking.tend()
        assert attempts(results) == 1
    taking.tend()
    assert len(tried) == 2
    assert len(user_query(results, "from unreadable_records").rows) == 1


def test_what_another_program_writes_is_not_copied(results: Results) -> None:
    with viewed(results, "writing"), pytest.raises(DatabaseBusy, match="has the database open"):
        user_query(results, "from attempts")
