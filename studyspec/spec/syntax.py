"""Syntax: from the text of a TOML file to its tables, or to the place where it is no TOML."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable

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
LONG = re.compile(r"\d{1000}")
NESTING = re.compile(r"[\[{.]")
MOST_LEVELS = 50
TWICE = re.compile(r"Cannot (overwrite|declare|mutate|redefine)|Duplicate inline table key")


def parse(text: str, file: str) -> Layer:
    """The tables of a TOML text with the places of their keys.

    Raises
    ------
    SpecError
        With line and column, if the text is no TOML.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError([_syntax_problem(str(error), text, file)]) from None
    except RecursionError:
        raise SpecError([_too_deep(text, file)]) from None
    except ValueError as error:  # of Python, of whole numbers with thousands of digits
        line = next((i for i, row in enumerate(text.split("\n")) if LONG.search(row)), 0)
        what = f"not valid TOML: {str(error).partition(';')[0].lower()}"
        raise SpecError([Problem(file, line + 1, 1, what)]) from None
    if not _shallow(table):
        raise SpecError([_too_deep(text, file)])
    return Layer(table, places(text, file))


def _shallow(table: object) -> bool:
    """Whether tables and lists are nested no deeper than a person would."""
    level: list[object] = [table]
    for _ in range(MOST_LEVELS):
        inside = [value for one in level for value in _inside(one)]
        level = [value for value in inside if isinstance(value, dict | list)]
        if not level:
            return True
    return False


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _too_deep(text: str, file: str) -> Problem:
    """Points at the first line that opens most brackets, or has most dots."""
    lines = text.split("\n")
    number = max(range(len(lines)), key=lambda i: len(NESTING.findall(lines[i])))
    hint = "no table of a study is nested so"
    return Problem(file, number + 1, 1, f"nested deeper than {MOST_LEVELS} levels", hint)


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
