"""A study on images behind HTTP: planned as unfetched, fetched by the run, pinned, verified."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from studyspec.catalog.table import Catalog, write_catalog
from tests.cli.projects import make_project, studyspec
from tests.file_server import serve

pytestmark = pytest.mark.slow


def move_behind(url: str, project: Path, served: Path) -> None:
    """Move the project's images to a server's folder and point the catalog there."""
    rows = Catalog.open(project / "catalog.parquet").rows
    remote = [
        replace(
            row,
            image_uri=url + Path(row.image_uri).name,
            label_uri=url + Path(row.label_uri or "").name,
        )
        for row in rows
    ]
    write_catalog(remote, project / "catalog.parquet")
    for path in (project / "data").iterdir():
        shutil.move(path, served / path.name)


def test_run_fetches_then_plans_and_works(tmp_path: Path) -> None:
    project, served = tmp_path / "project", tmp_path / "served"
    served.mkdir()
    make_project(project, "AB")
    with serve(served) as server:
        move_behind(server.url, project, served)
        plan = studyspec(project, "plan", "study.toml").stdout
        assert "12 files are not here yet; `studyspec run` fetches them" in plan
        server.cut["A0.npy"] = 1
        done = studyspec(project, "run", "study.toml")
        assert "fetched A0.npy" in done.stderr
        assert len((project / "pins.csv").read_text().splitlines()) == 13
        assert "nothing to do" in studyspec(project, "run", "study.toml").stderr
    words = ("catalog", "verify", "--catalog", "catalog.parquet")
    assert studyspec(project, *words).stdout == "12 intact, 0 wrong, 0 not here\n"
    next((project / "cache" / "files").glob("*.npy")).write_bytes(b"rot")
    assert "wrong: " in studyspec(project, *words, expect=1).stderr


def test_a_missing_file_ends_the_run_with_its_address(tmp_path: Path) -> None:
    project, served = tmp_path / "project", tmp_path / "served"
    served.mkdir()
    make_project(project, "AB")
    with serve(served) as server:
        move_behind(server.url, project, served)
        (served / "A0.npy").unlink()
        done = studyspec(project, "catalog", "fetch", "study.toml", expect=2)
        assert "1 of 12 files could not be fetched:" in done.stderr
        assert f"{server.url}A0.npy: the server answered 404" in done.stderr
        assert "Traceback" not in done.stderr
