"""Places: where in a TOML text each key and value stands. Knows the grammar, not the meaning."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """A stretch of one line; line and column count from 1, column and width in characters."""

    line: int
    column: int
    width: int
    source: str

    @property
    def text(self) -> str:
        """The stretch itself."""
        return self.source[self.column - 1 : self.column - 1 + self.width]


@dataclass(frozen=True)
class Entry:
    """The places of a key and of its value."""

    key: Place
    value: Place


def places(text: str) -> Mapping[Path, Entry]:
    """The places of every table, key and array element of a TOML text, by path.

    Elements of arrays, and of arrays of tables, are steps by number.
    """
    return _Index(text).entries


def statement_before(text: str, line: int, column: int) -> Place:
    """The key or table header of the statement that ends just before a position."""
    index = _Index(text)
    ended = Place(line, column, 1, text.split("\n")[line - 1])
    for key, end in index.statements:
        if end.line == line and end.column <= column:
            between = end.source[end.column - 1 : column - 1]
            ended = key if not between.strip() else ended
    return ended


class _Index:
    """Walks the syntax tree once and notes where each path first stands."""

    def __init__(self, text: str) -> None:
        self.entries: dict[Path, Entry] = {}
        self.statements: list[tuple[Place, Place]] = []
        self._lines = text.split("\n")
        self._tables: dict[Path, int] = {}
        parser = Parser(Language(tree_sitter_toml.language()))
        for node in parser.parse(text.encode()).root_node.children:
            if node.type == "pair":
                self._pair((), node)
            elif node.type in ("table", "table_array_element"):
                self._table(node)

    def _table(self, node: Node) -> None:
        header = next(child for child in node.named_children if child.type.endswith("key"))
        self._statement(header, header)
        *above, last = _keys(header)
        path = (*self._resolve(above), last)
        if node.type == "table_array_element":
            number = self._tables.get(path, -1) + 1
            self._tables[path] = number
            self._note(path, header, header)
            path = (*path, number)
        elif path in self._tables:
            path = (*path, self._tables[path])
        for depth in range(1, len(path) + 1):
            self._note(path[:depth], header, header)
        for child in node.named_children:
            if child.type == "pair":
                self._pair(path, child)

    def _resolve(self, keys: list[str]) -> Path:
        """A header's path, through the latest element of any array of tables on the way."""
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self._tables:
                path = (*path, self._tables[path])
        return path

    def _pair(self, base: Path, node: Node) -> None:
        key, *_, value = (child for child in node.named_children if child.type != "comment")
        self._statement(key, value)
        *above, last = _keys(key)
        for step in above:
            base = (*base, step)
            self._note(base, key, value)
        self._value((*base, last), key, value)

    def _value(self, path: Path, key: Node, value: Node) -> None:
        self._note(path, key, value)
        if value.type == "array":
            for number, element in enumerate(_elements(value)):
                self._value((*path, number), element, element)
        elif value.type == "inline_table":
            for child in value.named_children:
                if child.type == "pair":
                    self._pair(path, child)

    def _note(self, path: Path, key: Node, value: Node) -> None:
        self.entries.setdefault(path, Entry(self._place(key), self._place(value)))

    def _statement(self, key: Node, value: Node) -> None:
        row, stop = value.end_point
        source = self._lines[row]
        column = len(source.encode()[:stop].decode()) + 1
        self.statements.append((self._place(key), Place(row + 1, column, 1, source)))

    def _place(self, node: Node) -> Place:
        """The first line of a node; tree-sitter counts bytes, a Place characters."""
        (row, start), (last, stop) = node.start_point, node.end_point
        source = self._lines[row]
        raw = source.encode()
        text = raw[start:stop] if last == row else raw[start:].rstrip()
        return Place(row + 1, len(raw[:start].decode()) + 1, max(1, len(text.decode())), source)


def _elements(array: Node) -> Iterator[Node]:
    return (child for child in array.named_children if child.type != "comment")


def _keys(node: Node) -> list[str]:
    """The steps of a bare, quoted or dotted key."""
    if node.type == "dotted_key":
        return [k for child in node.children if child.type.endswith("key") for k in _keys(child)]
    text = (node.text or b"").decode()
    return [text if node.type == "bare_key" else next(iter(tomllib.loads(f"{text}=0")))]
