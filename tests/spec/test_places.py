from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studyspec.spec.places import Path, places, statement_before

NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=4)
Places = dict[Path, tuple[int, int]]


class Writer:
    """Writes TOML and notes where each key and value begins."""

    def __init__(self) -> None:
        self.lines = [""]
        self.keys: Places = {}
        self.values: Places = {}

    @property
    def here(self) -> tuple[int, int]:
        return len(self.lines), len(self.lines[-1]) + 1

    def put(self, text: str) -> None:
        first, *more = text.split("\n")
        self.lines[-1] += first
        self.lines += more

    def key(self, path: Path, name: str) -> Path:
        self.keys.setdefault((*path, name), self.here)
        bare = name.isascii() and name.isalnum()
        self.put(name if bare else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"')
        return (*path, name)

    def value(self, path: Path, value: Any) -> None:
        self.values[path] = self.here
        if isinstance(value, Mapping):
            self.put("{ ")
            for i, (name, inner) in enumerate(value.items()):
                self.put(", " if i else "")
                self.pair(path, name, inner)
            self.put(" }")
        elif isinstance(value, list):
            self.put("[ # ä\n")
            for i, inner in enumerate(value):
                self.put(", " if i % 2 else "\t")
                self.value((*path, i), inner)
                self.put(",\n" if i % 2 else " ")
                self.put("")
            self.put("]")
        else:
            self.put(f"{value}" if isinstance(value, int) else f"'{value}'")

    def pair(self, path: Path, name: str, value: Any) -> None:
        path = self.key(path, name)
        self.put(" = ")
        self.value(path, value)


VALUES = st.recursive(
    st.integers(0, 9) | st.just("Å µ"),
    lambda inner: st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
TABLES = st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, max_size=3), max_size=4)


@given(TABLES)
def test_every_key_and_value_is_found_at_its_character(tables: dict[str, dict[str, Any]]) -> None:
    writer = Writer()
    for table, values in tables.items():
        writer.put("[")
        path = writer.key((), table)
        writer.put("] # ü\n")
        for name, value in values.items():
            writer.pair(path, name, value)
            writer.put("\n")
    text = "\n".join(writer.lines)
    assert tomllib.loads(text) == tables
    found = places(text)
    assert {p: (found[p].key.line, found[p].key.column) for p in writer.keys} == writer.keys
    assert {p: (found[p].value.line, found[p].value.column) for p in writer.values} == writer.values


def _at(text: str, *path: str | int) -> tuple[int, int, str]:
    place = places(text)[path].value
    return place.line, place.column, place.text


def test_elements_of_a_list_over_several_lines() -> None:
    assert _at('a = ["Å", # é\n  "µ", 3,\n]\n', "a", 2) == (2, 8, "3")


def test_a_dotted_key_is_found_step_by_step() -> None:
    found = places('"é".b.c = 1\n')
    assert [found[path].key.column for path in [("é",), ("é", "b"), ("é", "b", "c")]] == [1, 5, 7]


def test_tables_of_arrays_are_steps_by_number() -> None:
    text = "[[claims]]\nx = 1\n[[claims]]\nx = 2\n[claims.left]\ny = 3\n[[claims.all]]\nz = 4\n"
    assert _at(text, "claims", 0, "x") == (2, 5, "1")
    assert _at(text, "claims", 1, "x") == (4, 5, "2")
    assert _at(text, "claims", 1, "left", "y") == (6, 5, "3")
    assert _at(text, "claims", 1, "all", 0, "z") == (8, 5, "4")


def test_a_value_of_several_lines_is_wide_as_its_first() -> None:
    assert _at("a = [ 1,\n 2 ]\n", "a") == (1, 5, "[ 1,")


def test_escapes_in_a_quoted_key() -> None:
    assert _at('"a\\u0062\\"" = 1\n', 'ab"') == (1, 15, "1")


@pytest.mark.parametrize("text", ["", "\n", "= =", "[a", "a = '''", "é = 1"])
def test_a_text_that_is_no_toml_has_places_all_the_same(text: str) -> None:
    assert places(text)[()].key.line == 1


def test_the_statement_before_a_position() -> None:
    text = "a = 1\nb = { c = [1,\n 2] }  # x\n"
    assert statement_before(text, 3, 6).text == "b"
    assert statement_before(text, 3, 4).text == "c"
    assert statement_before(text, 1, 6).text == "a"
