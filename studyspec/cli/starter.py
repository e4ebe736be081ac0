"""The project that `studyspec init` makes: a study on the twin, and the catalog."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from studyspec.errors import StudySpecError


def make_project(folder: Path) -> list[Path]:
    """Write the starter project; return the files made.

    Raises
    ------
    StudySpecError
        If the folder holds anything already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StudySpecError("the folder is not empty", where=str(folder), hint="name a new folder")
    from studyspec.catalog.build import build

    study = folder / "studies" / "first.toml"
    schema = folder / "studies" / "study.schema.json"
    catalog = folder / "data_catalog.parquet"
    study.parent.mkdir(parents=True)
    study.write_text(files("studyspec.cli").joinpath("starter.toml").read_text())
    schema.write_text(files("studyspec.spec").joinpath("study.schema.json").read_text())
    build(catalog)
    return [study, schema, catalog]
