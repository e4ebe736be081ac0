"""The project that `studyspec init` makes: a study on the twin, its schema, and the catalog."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from studyspec.api.workplace import AnyPath
from studyspec.errors import StudySpecError
from studyspec.files import write

if TYPE_CHECKING:
    from studyspec.spec.schema import Schema

INDENT = 2


def init(folder: AnyPath) -> tuple[Path, ...]:
    """Make a project: one study on the twin, its schema, and the catalog; the files made.

    Raises
    ------
    StudySpecError
        If the folder holds anything already.
    """
    from studyspec.catalog.build import build

    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StudySpecError("the folder is not empty", where=str(folder), hint="name a new folder")
    study = folder / "studies" / "first.toml"
    described = folder / "studies" / "study.schema.json"
    catalog = folder / "data_catalog.parquet"
    write(study, files("studyspec.api").joinpath("starter.toml").read_bytes(), durable=False)
    write(described, json.dumps(schema(), indent=INDENT) + "\n", durable=False)
    build(catalog)
    return study, described, catalog


def schema() -> Schema:
    """The JSON Schema of study files, with the tables of all plug-ins that are installed."""
    from studyspec.spec.schema import json_schema

    return json_schema()
