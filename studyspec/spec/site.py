"""The site: what `studyspec.toml` says of the place where studies run, never of a study."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from studyspec.errors import Problem, SpecError
from studyspec.plugins.settings import Settings
from studyspec.spec.layers import Layer
from studyspec.spec.problems import Pointer, explain
from studyspec.spec.syntax import parse
from studyspec.spec.wording import nearest, shown

FILE = "studyspec.toml"
ENGINES = "engines"
S = TypeVar("S", bound=Settings)


def engine_settings(
    engine: str, model: type[S], files: Iterable[Path], engines: Collection[str]
) -> S:
    """The settings of an engine: its table in these files, later ones over earlier ones.

    Parameters
    ----------
    engine, model
        Its name, and the model of its table.
    files
        Files called `studyspec.toml`; those that are not there say nothing.
    engines
        The names of all engines.

    Raises
    ------
    SpecError
        With line and column, if a file says what cannot be.
    """
    whole = Layer({}, {})
    for file in files:
        if file.is_file():
            layer = parse(file.read_text(encoding="utf-8"), str(file))
            problems = list(_strange(layer, file, engines))
            if problems:
                raise SpecError(problems)
            whole = whole.under(layer)
    table = whole.within(ENGINES, engine)
    try:
        return model.model_validate(table.table)
    except ValidationError as error:
        pointer = Pointer(FILE, table.entries)
        raise SpecError(list(explain(error, pointer, model, table.table))) from None


def _strange(layer: Layer, file: Path, engines: Collection[str]) -> Iterable[Problem]:
    """What is neither a table of an engine nor in one."""
    pointer = Pointer(str(file), layer.entries)
    for key in layer.table:
        if key != ENGINES:
            yield pointer.at_key((key,), f"unknown key '{key}'", nearest(key, [ENGINES]))
    tables = layer.table.get(ENGINES, {})
    if not isinstance(tables, dict):
        yield pointer.problem((ENGINES,), f"expected a table, got {shown(tables)}")
        return
    for name, table in tables.items():
        if name not in engines:
            yield pointer.at_key((ENGINES, name), f"no engine '{name}'", nearest(name, engines))
        elif not isinstance(table, dict):
            yield pointer.problem((ENGINES, name), f"expected a table, got {shown(table)}")
