"""Parts: what of a study is valid by itself, so that every problem is found at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from studyspec.spec.sections import StageSettings
from studyspec.spec.study import Matrix

Model = TypeVar("Model", bound=BaseModel)
Tables = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True)
class Parts:
    """The tables of a study that can be read, whatever else is wrong.

    Attributes
    ----------
    datasets, networks
        Names of the datasets and of foreign networks; empty if the table cannot be read.
    matrix, stage
        As written; the default where they are not valid.
    sound
        Whether matrix and stage are as written.
    base
        Whether the plain study is a variant.
    searched
        The variant that a search is to find.
    variants, sweep
        As written, not validated.
    """

    datasets: tuple[str, ...]
    networks: tuple[str, ...]
    matrix: Matrix
    stage: StageSettings
    sound: bool
    base: bool
    variants: Tables
    searched: str | None
    sweep: Mapping[str, object]

    @classmethod
    def of(cls, table: Mapping[str, object]) -> Parts:
        """The parts of a study's tables."""
        stage = {key: table[key] for key in StageSettings.model_fields if key in table}
        settings, matrix = _stage(stage), _valid(Matrix, table.get("matrix", {}))
        return cls(
            tuple(_table(table, "datasets")),
            tuple(_table(table, "networks")),
            matrix or Matrix(),
            settings or _salvaged(stage),
            settings is not None and matrix is not None,
            _table(table, "study").get("base") is not False,
            {k: v for k, v in _table(table, "variants").items() if isinstance(v, Mapping)},
            _searched(table),
            _table(table, "sweep"),
        )


def _table(table: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = table.get(key)
    return found if isinstance(found, Mapping) else {}


def _searched(table: Mapping[str, object]) -> str | None:
    search = _table(table, "search")
    return str(search.get("variant", "found")) if search else None


def _stage(tables: Mapping[str, object]) -> StageSettings | None:
    return _valid(StageSettings, tables)


def _salvaged(tables: Mapping[str, object]) -> StageSettings:
    """The tables that are valid alone, if they are valid together; else the defaults."""
    alone = {key: value for key, value in tables.items() if _stage({key: value}) is not None}
    return _stage(alone) or StageSettings()


def _valid(model: type[Model], table: object) -> Model | None:
    try:
        return model.model_validate(table)
    except ValidationError:
        return None
