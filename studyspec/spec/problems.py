"""Problems: complaints about tables, each at its place in the study file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from studyspec.errors import Problem
from studyspec.spec.choices import CHOSEN, DEFAULTS, NAME, base_name, named_model
from studyspec.spec.dotted import homes
from studyspec.spec.filters import DatasetFilter
from studyspec.spec.layers import Entries, holds, inside
from studyspec.spec.places import Path, Place
from studyspec.spec.wording import nearest, sentence

EXTENDS = "extends"
KEY = "[key]"
FOLLOW_UPS = frozenset({"too_short", "string_type", "tuple_type", "plain"})


@dataclass(frozen=True)
class Pointer:
    """Turns a path of the study into a place of its file, or of one that the file extends."""

    file: str
    entries: Entries

    def problem(self, path: Sequence[str | int], what: str, hint: str = "") -> Problem:
        """A problem with a value; if it is not in the file, at the nearest table above it."""
        return self._problem(self._place(tuple(path), of_key=False), what, hint)

    def at_key(self, path: Sequence[str | int], what: str, hint: str = "") -> Problem:
        """A problem with a key rather than its value."""
        return self._problem(self._place(tuple(path), of_key=True), what, hint)

    def _problem(self, place: Place, what: str, hint: str) -> Problem:
        file = place.file or self.file
        return Problem(file, place.line, place.column, what, hint, place.source, place.width)

    def _place(self, path: Path, of_key: bool) -> Place:
        for length in range(len(path), -1, -1):
            entry = self.entries.get(path[:length])
            if entry is not None:
                return entry.key if of_key or length < len(path) else entry.value
        return Place(1, 1, 1, "")  # no file is behind the pointer


def explain(
    error: ValidationError,
    pointer: Pointer,
    model: type[BaseModel],
    table: object,
    prefix: Path = (),
) -> Iterator[Problem]:
    """Every complaint of a validation as a Problem.

    Parameters
    ----------
    error
        What pydantic says.
    pointer
        Where the paths of the study stand.
    model, table
        The model, and the table that is not one.
    prefix
        Path of the table in the study.
    """
    for path, complaints in _by_path(error, table).items():
        details, place = complaints[0], (*prefix, *path)
        if details["type"] == "extra_forbidden":
            key = str(path[-1])
            names = fields_at(model, path[:-1], table)
            hint = _key_hint(key, names, prefix + path[:-1])
            yield pointer.at_key(place, f"unknown key '{key}'", hint)
        elif details["type"] == "missing":
            yield _missing(pointer, place, details["input"])
        elif KEY in details["loc"]:
            yield pointer.at_key(place, *sentence(complaints))
        else:
            yield pointer.problem(place, *sentence(complaints))


def _by_path(error: ValidationError, table: object) -> dict[Path, list[ErrorDetails]]:
    """Complaints by path in the table; those that only follow from others below are left out."""
    found: dict[Path, list[ErrorDetails]] = {}
    for details in error.errors(include_url=False):
        found.setdefault(_real(details, table), []).append(details)
    for path in list(found):
        below = any(other[: len(path)] == path for other in found if other != path)
        if below:
            found[path] = [c for c in found[path] if c["type"] not in FOLLOW_UPS]
    return {path: complaints for path, complaints in found.items() if complaints}


def _real(details: ErrorDetails, table: object) -> Path:
    """A location without pydantic's own marks: its steps, and those of `at`, in the table."""
    path: Path = ()
    at = details.get("ctx", {}).get("at", "")
    for step in (*details["loc"], *at.split(".")):
        if holds(table, step):
            path, table = (*path, step), inside(table, step)
    return (*path, details["loc"][-1]) if details["type"] == "missing" else path


def _missing(pointer: Pointer, path: Path, table: object) -> Problem:
    *above, key = path
    if isinstance(key, int) and isinstance(table, Sized):
        return pointer.problem(above, f"expected {key + 1} entries, got {len(table)}")
    tables = [step for step in above if isinstance(step, str)]
    what = f"'{key}' is missing" + (f" in {tables[-1]}" if tables else "")
    return pointer.at_key(above or path, what)


def fields_at(model: type[BaseModel], path: Sequence[str | int], table: object = None) -> list[str]:
    """The keys that the table at a path of a model may hold; none if it is a condition.

    `table` are the values of the whole: a plug-in chosen by name has the keys of its own.
    """
    current: type[BaseModel] | None = model
    for step in path:
        table = inside(table, step)
        fields = current.model_fields if current is not None else {}
        if current is DatasetFilter and step not in fields:
            return []
        if isinstance(step, str) and step in fields:
            current = _model_in(fields[step].annotation, step, table)
    fields = current.model_fields if current is not None else {}
    return [field.alias or name for name, field in fields.items()]


def _model_in(annotation: object, key: str, table: object) -> type[BaseModel] | None:
    """The model inside an annotation such as tuple[Claim, ...] or Trend | None."""
    models = list(_models(annotation))
    if key in CHOSEN and isinstance(table, Mapping):
        name = base_name(str(table.get(NAME, DEFAULTS[key])))
        models = [named_model(plugin) for plugin in CHOSEN[key] if plugin.name == name] or models
    return models[0] if models else None


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)


def _key_hint(key: str, names: Sequence[str], table: Path) -> str:
    """The nearest right key; or the table that a setting in the wrong table belongs to."""
    if key == EXTENDS:
        return "it stands at the top of the file, above every table"
    if not names:
        return "a condition has one form only"
    hint = nearest(key, names)
    if not hint.startswith("did you"):
        elsewhere = [home for home in homes(key) if home not in ".".join(map(str, table))]
        if elsewhere:
            return f"it belongs into [{elsewhere[0]}]"
        if table and table[-1] in ("preprocess", "augment", "evaluation"):
            return f"{hint}; or is a package of plug-ins missing?"
    return hint
