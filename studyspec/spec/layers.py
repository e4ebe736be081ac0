"""Layers: a study file's tables merged, profile over file and dataset over common, with places.

Values and places are merged by the same steps, so that every value keeps the place it came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from studyspec.spec.choices import carried
from studyspec.spec.names import COMMON
from studyspec.spec.places import Entry, Path

Entries = Mapping[Path, Entry]
FORMS = {
    "matrix": (("train", "test"), ("pairs",)),
    "start_from": (("train", "variant"), ("weights",)),
    "training": (("epochs",), ("steps", "validate_every")),
}
"""Tables of two forms: the keys of the one and of the other, which exclude each other; what is of
neither stays."""


@dataclass(frozen=True)
class Layer:
    """Tables as TOML gives them, and where each of their paths stands in the file."""

    table: Mapping[str, object]
    entries: Entries

    def within(self, *path: str) -> Layer:
        """The tables below a path, as a layer of their own; empty if another thing is there."""
        table: object = self.table
        for key in path:
            table = inside(table, key)
        depth = len(path)
        found = {p[depth:]: e for p, e in self.entries.items() if p[:depth] == path}
        return Layer(table if isinstance(table, Mapping) else {}, found)

    def without(self, key: str) -> Layer:
        """The same without one table."""
        table = {k: v for k, v in self.table.items() if k != key}
        return Layer(table, {p: e for p, e in self.entries.items() if p[:1] != (key,)})

    def less(self, path: Path) -> Layer:
        """The same without what stands at a path."""
        entries = {p: e for p, e in self.entries.items() if p[: len(path)] != path}
        return Layer(_less(self.table, path), entries)

    def under(self, above: Layer) -> Layer:
        """Another layer merged over this one, table by table; anything else is replaced."""
        table = merged(self.table, above.table)
        kept = {p: e for p, e in self.entries.items() if _at(table, p) is _at(self.table, p)}
        tables = {p: e for p, e in self.entries.items() if isinstance(_at(table, p), Mapping)}
        return Layer(table, {**tables, **kept, **{p: e for p, e in above.entries.items() if p}})

    def with_common(self) -> Layer:
        """Every dataset started from `[datasets.common]`, key by key, and no common."""
        datasets = self.table.get("datasets")
        if not isinstance(datasets, Mapping) or COMMON not in datasets:
            return self
        common = self.within("datasets", COMMON)
        shared = common.table
        started, entries = {}, dict(self.entries)
        for name, own in datasets.items():
            if name == COMMON:
                continue
            started[name] = {**shared, **own} if isinstance(own, Mapping) else own
            lent = shared.keys() - own.keys() if isinstance(own, Mapping) else set()
            for path, entry in common.entries.items():
                if path and path[0] in lent:
                    entries["datasets", name, *path] = entry
        return Layer({**self.table, "datasets": started}, entries)


def merged(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    """Tables merged key by key, the second over the first; anything else is replaced.

    Pairs of a matrix replace its lists and its lists pairs, as they exclude each other; so do the
    two forms of a start, and the steps and epochs of a training. A plug-in chosen by another name
    keeps what both have.
    """
    out = dict(below)
    for key, value in above.items():
        old = out.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            kept = _beside(key, old, value) if key in FORMS else carried(key, old, value)
            out[key] = merged(kept, value)
        else:
            out[key] = value
    return out


def _beside(table: str, old: Mapping[str, object], new: Mapping[str, object]) -> dict[str, object]:
    """What stays of a table of two forms under another: what is of the same form."""
    one, other = FORMS[table]
    given = {key for key, value in new.items() if value is not None}
    gone = one if given & set(other) else other if given & set(one) else ()
    return {key: value for key, value in old.items() if key not in gone}


def _less(table: Mapping[str, object], path: Path) -> dict[str, object]:
    key, *more = path
    out = {k: v for k, v in table.items() if more or k != key}
    below = table.get(str(key))
    if more and isinstance(below, Mapping):
        out[str(key)] = _less(below, tuple(more))
    return out


def holds(table: object, step: str | int) -> bool:
    """Whether a step leads further into a table or list."""
    if isinstance(table, Mapping):
        return step in table
    return isinstance(table, list | tuple) and isinstance(step, int) and step < len(table)


def inside(table: object, step: str | int) -> object:
    """What a step leads to in a table or list; None if there is nothing (TOML has no None)."""
    if isinstance(table, Mapping):
        return table.get(step)
    if isinstance(table, list | tuple) and isinstance(step, int) and step < len(table):
        return table[step]
    return None


def _at(table: object, path: Path) -> object:
    """The value at a path of a table; None if there is none (TOML has no None)."""
    for step in path:
        table = inside(table, step)
    return table
