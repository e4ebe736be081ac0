"""Syntax: from the text of a TOML file to its tables, or to the place where it is no TOML."""

from __future__ import annotations

import re
import tomllib

from studyspec.errors import Problem, SpecError
from studyspec.spec.layers import Layer
from studyspec.spec.places import places, statement_before

HINTS = {
    "Invalid value": "text stands in quotes; else write a number, true, false, [a list] or a date",
    "Invalid statement": "a line is [table] or key = value",
    "Expected '=' after a key in a key/value pair": "a line is [table] or key = value",
    "Unclosed array": "close it with ]",
    "Unclosed inline table": "close it with }",
    "Unterminated string": "close it with a quote",
}
TWICE = re.compile(r"Cannot (overwrite|declare|mutate|redefine)|Duplicate inline table key")


def parse(text: str, file: str) -> Layer:
    """The tables of a TOML text with the places of their keys.

    Raises
    ------
    SpecError
        With line and column, if the text is no TOML.
    """
    try:
        return Layer(tomllib.loads(text), places(text, file))
    except tomllib.TOMLDecodeError as error:
        raise SpecError([_syntax_problem(str(error), text, file)]) from None


def _syntax_problem(message: str, text: str, file: str) -> Problem:
    lines = text.split("\n")
    found = re.search(r" \(at line (\d+), column (\d+)\)$", message)
    line, column = (int(found[1]), int(found[2])) if found else _end(lines)
    what = re.sub(r" \(at .*\)$", "", message)
    if TWICE.match(what):
        place = statement_before(text, line, column)
        what, hint = f"'{place.text}' is defined twice", "delete one of them, or join them"
        return Problem(file, place.line, place.column, what, hint, place.source, place.width)
    plain = f"not valid TOML: {what[0].lower()}{what[1:]}"
    return Problem(file, line, column, plain, HINTS.get(what, ""), lines[line - 1])


def _end(lines: list[str]) -> tuple[int, int]:
    """The place after the last visible character."""
    last = max((i for i, line in enumerate(lines) if line.strip()), default=0)
    return last + 1, len(lines[last].rstrip()) + 1
