"""Problems: pydantic's complaints in plain English, each at its place in the study file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from studyspec.errors import Problem
from studyspec.spec.places import Entry, Path, Place

EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text in quotes",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
MARKERS = frozenset(
    {"scalar", "list", "near", "range", "not", "like", "bool", "int", "float", "str", "date"}
)


@dataclass(frozen=True)
class Pointer:
    """Turns a path of the merged study into a place of its file.

    With a profile, a key that the profile holds is found in the profile's own table.
    """

    file: str
    entries: Mapping[Path, Entry]
    profile: str | None = None

    def problem(self, path: Sequence[str | int], what: str, hint: str = "") -> Problem:
        """A problem at a path, or at the nearest table above it that stands in the file."""
        place = self.place(tuple(path))
        return Problem(self.file, place.line, place.column, what, hint, place.source, place.width)

    def at_key(self, path: Sequence[str | int], what: str, hint: str = "") -> Problem:
        """A problem with a key rather than its value."""
        place = self.place(tuple(path), of_key=True)
        return Problem(self.file, place.line, place.column, what, hint, place.source, place.width)

    def place(self, path: Path, of_key: bool = False) -> Place:
        """The place of a value (or its key); of the nearest table above if it is not there."""
        for whole, found in self._candidates(path):
            if found in self.entries:
                entry = self.entries[found]
                return entry.key if of_key or not whole else entry.value
        return Place(1, 1, 1, "")

    def _candidates(self, path: Path) -> Iterator[tuple[bool, Path]]:
        for length in range(len(path), 0, -1):
            whole = length == len(path)
            if self.profile is not None:
                yield whole, ("profiles", self.profile, *path[:length])
            yield whole, path[:length]
            if path[0] == "datasets" and length > 2:
                yield whole, ("datasets", "common", *path[2:length])


def nearest(name: str, names: Sequence[str]) -> str:
    """A hint naming the closest of the right names, or all of them if none is close."""
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"expected one of {', '.join(sorted(names))}" if names else ""


def explain(
    error: ValidationError, pointer: Pointer, model: type[BaseModel], prefix: Path = ()
) -> Iterator[Problem]:
    """Every complaint of a validation as a Problem; `prefix` is where the model stands."""
    for details in error.errors():
        path = (*prefix, *_real(details["loc"]))
        if details["type"] == "extra_forbidden":
            key = str(details["loc"][-1])
            names = _fields(model, details["loc"][:-1])
            yield pointer.at_key(path, f"unknown key '{key}'", nearest(key, names))
        elif details["type"] == "missing":
            above = ".".join(str(step) for step in path[:-1])
            where = f" in [{above}]" if above else ""
            yield pointer.at_key(path[:-1] or path, f"'{path[-1]}' is missing{where}")
        else:
            yield pointer.problem(path, _sentence(details))


def _real(loc: Sequence[str | int]) -> Path:
    """A pydantic location without the marks of union members and of keys."""
    out = tuple(step for step in loc if step != "[key]" and "[" not in str(step))
    while out and out[-1] in MARKERS and len(out) > 3:
        out = out[:-1]
    return out


def _sentence(details: ErrorDetails) -> str:
    got = details["input"]
    kind = details["type"]
    if kind in EXPECTED:
        return f"expected {EXPECTED[kind]}, got {_shown(got)}"
    message = details["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if kind == "value_error":
        return message
    if kind in ("filter_form", "string_pattern_mismatch", "too_short", "too_long"):
        plain = details["msg"].replace("Tuple", "the list").replace("after validation, ", "")
        return f"{plain[0].lower()}{plain[1:]}, got {_shown(got)}"
    return f"expected {message}, got {_shown(got)}"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list | tuple) and len(value) > 4:
        return f"a list of {len(value)}"
    return repr(value)


def _fields(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """The keys that the table at a location may hold."""
    current: Any = model
    for step in loc:
        field = getattr(current, "model_fields", {}).get(step)
        if field is not None:
            current = _model_in(field.annotation)
    fields = getattr(current, "model_fields", {})
    return [field.alias or name for name, field in fields.items()]


def _model_in(annotation: Any) -> Any:
    """The model inside an annotation such as tuple[Claim, ...] or Trend | None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found is not None:
            return found
    return None
