"""Paths as text or as Path, one or several, and folders of studies."""

from __future__ import annotations

from pathlib import Path

import pytest

from studyspec import api
from studyspec.errors import NothingThere


def test_folders_stand_for_the_studies_in_them(tmp_path: Path) -> None:
    for name in ("b.toml", "a.toml", "a.txt"):
        (tmp_path / name).touch()
    assert api.study_files(tmp_path) == (tmp_path / "a.toml", tmp_path / "b.toml")
    assert api.study_files([str(tmp_path / "b.toml")]) == (tmp_path / "b.toml",)
    assert api.study_files("b.toml") == (Path("b.toml"),)


def test_a_folder_without_studies_is_told(tmp_path: Path) -> None:
    with pytest.raises(NothingThere, match="no study file was named; name a TOML file or"):
        api.study_files(tmp_path)


def test_the_results_lie_in_the_project_unless_they_are_moved(tmp_path: Path) -> None:
    assert api.HERE.results_of(tmp_path).folder == tmp_path / "results"
    assert api.Workplace(str(tmp_path / "r")).results_of(Path("x")).folder == tmp_path / "r"


def test_ones_own_address_precedes_that_of_the_study() -> None:
    assert api.HERE.whereabouts("c.parquet", "https://a/").base_address == "https://a/"
    own = api.Workplace(base_address="file:///b/")
    assert own.whereabouts("c.parquet", "https://a/").base_address == "file:///b/"
