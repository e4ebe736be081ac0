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
    """A stretch of one line; line and column count from 1, column and width in characters.

    `file` is where the text stands, if it was told.
    """

    line: int
    column: int
    width: int
    source: str
    file: str = ""

    @property
    def text(self) -> str:
        """The stretch itself."""
        return self.source[self.column - 1 : self.column - 1 + self.width]


@dataclass(frozen=True)
class Entry:
    """The places of a key and of its value; a table's value is its header or dotted key."""

    key: Place
    value: Place


def places(text: str, file: str = "") -> Mapping[Path, Entry]:
    """The places of every table, key and array element of a TOML text, by path.

    Elements of arrays, and of arrays of tables, are steps by number; () is the first line.
    """
    return _Index(text, file).entries


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

    def __init__(self, text: str, file: str = "") -> None:
        self._file = file
        self.entries: dict[Path, Entry] = {}
        self.statements: list[tuple[Place, Place]] = []
        self._lines = text.split("\n")
        self._tables: dict[Path, int] = {}
        start = Place(1, 1, 1, self._lines[0], file)
        self.entries[()] = Entry(start, start)
        parser = Parser(Language(tree_sitter_toml.language()))
        for node in parser.parse(text.encode()).root_node.children:
            if node.type == "pair":
                self._pair((), node)
            elif node.type in ("table", "table_array_element"):
                self._table(node)

    def _table(self, node: Node) -> None:
        header = next(child for child in node.named_children if child.type.endswith("key"))
        self._statement(header, header)
        path: Path = ()
        for last, (key, step) in _last(_keys(header)):
            path = (*path, step)
            if last and node.type == "table_array_element":
                self._note(path, key, header)
                self._tables[path] = self._tables.get(path, -1) + 1
            if path in self._tables:  # a header goes on in the latest element of the array
                self._note(path, key, header)
                path = (*path, self._tables[path])
            self._note(path, key, header)
        for child in node.named_children:
            if child.type == "pair":
                self._pair(path, child)

    def _pair(self, base: Path, node: Node) -> None:
        whole, *_, value = (child for child in node.named_children if child.type != "comment")
        self._statement(whole, value)
        for last, (key, step) in _last(_keys(whole)):
            base = (*base, step)
            if last:
                self._value(base, key, value)
            else:
                self._note(base, key, whole)

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
        column, width = len(raw[:start].decode()) + 1, max(1, len(text.decode()))
        return Place(row + 1, column, width, source, self._file)


def _elements(array: Node) -> Iterator[Node]:
    return (child for child in array.named_children if child.type != "comment")


def _keys(node: Node) -> list[tuple[Node, str]]:
    """The steps of a bare, quoted or dotted key."""
    if node.type == "dotted_key":
        return [
            key for child in node.children if child.type.endswith("key") for key in _keys(child)
        ]
    text = (node.text or b"").decode()
    return [(node, text if node.type == "bare_key" else next(iter(tomllib.loads(f"{text}=0"))))]


def _last(keys: list[tuple[Node, str]]) -> Iterator[tuple[bool, tuple[Node, str]]]:
    return ((key is keys[-1], key) for key in keys)
