"""Results that can only be read: every way of looking at them works, every other says one thing."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.projects import make_project, studyspec

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="takes powers of a root"),
]
DROP_FROM_BOUNDING_SET, MAY_WRITE_ANYWHERE = 24, 1


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("archive")
    study = make_project(folder, "AB", images=2)
    studyspec(folder, "run", "study.toml", "--on", "inline")
    (folder / "other.toml").write_text(study.read_text().replace("epochs = 2", "epochs = 3"))
    paths = [folder, *(path for path in folder.rglob("*") if not path.is_symlink())]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield folder
    for path in paths:
        path.chmod(0o755 if path.is_dir() else 0o644)


def obey_permissions() -> None:
    """Take from a root what lets it write in spite of permissions."""
    if os.getuid() == 0:
        ctypes.CDLL(None).prctl(DROP_FROM_BOUNDING_SET, MAY_WRITE_ANYWHERE, 0, 0, 0)


def reader(archive: Path, elsewhere: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command of somebody who may only read the archive."""
    own = {"HOME": elsewhere, "STUDYSPEC_CACHE": elsewhere / "c", "TMPDIR": elsewhere}
    return subprocess.run(
        [sys.executable, "-m", "studyspec", *words],
        cwd=elsewhere,
        env={**os.environ, **{name: str(path) for name, path in own.items()}},
        capture_output=True,
        text=True,
        timeout=240,
        preexec_fn=obey_permissions,
    )


@pytest.mark.parametrize(
    "words",
    [
        ("sql", "select count(*) from scores", "--results", "{}/results"),
        ("sql", "from matrix", "--csv", "m.csv", "--results", "{}/results"),
        ("status", "--results", "{}/results"),
        ("status", "{}/study.toml"),
        ("check", "{}/study.toml"),
        ("plan", "{}/study.toml"),
        ("run", "{}/study.toml"),
        ("report", "{}/study.toml"),
        ("report", "{}/study.toml", "-o", "page.html"),
        ("compare", "A", "B", "--on", "A", "--results", "{}/results"),
        ("catalog", "ls", "--catalog", "{}/catalog.parquet"),
    ],
)
def test_an_archive_can_be_looked_at(archive: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    done = reader(archive, tmp_path, *(word.format(archive) for word in words))
    assert "Traceback" not in done.stderr
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("run", "{}/other.toml"),
        ("ingest", "--rebuild", "--results", "{}/results"),
        ("catalog", "simulate", "--material", "Au", "--diameter-nm", "5",
         "--catalog", "{}/catalog.parquet"),
        ("catalog", "build", "--catalog", "{}/catalog.parquet"),
    ],
)  # fmt: skip
def test_what_would_change_it_is_one_clear_error(
    archive: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = reader(archive, tmp_path, *(word.format(archive) for word in words))
    assert "Traceback" not in done.stderr
    assert done.returncode == 2, done.stdout + done.stderr
