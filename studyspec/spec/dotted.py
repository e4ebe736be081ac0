"""Dotted names: settings by the name that sweeps, claims and records give them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from pydantic import JsonValue

from studyspec.plugins.settings import Settings
from studyspec.spec.choices import tables_in
from studyspec.spec.layers import merged
from studyspec.spec.sections import StageSettings


def nested(dotted: str, value: object) -> dict[str, object]:
    """`a.b = value` as tables."""
    first, _, rest = dotted.partition(".")
    return {first: nested(rest, value) if rest else value}


def with_values(tables: Mapping[str, object], values: Mapping[str, object]) -> dict[str, object]:
    """Tables with these values, by dotted name, in place of their own."""
    found = dict(tables)
    for name, value in values.items():
        found = merged(found, nested(name, value))
    return found


def leaves(table: Mapping[str, JsonValue], path: str = "") -> Iterator[tuple[str, JsonValue]]:
    """Every value of nested tables by dotted name."""
    for key, value in table.items():
        name = f"{path}.{key}" if path else key
        if isinstance(value, Mapping):
            yield from leaves(value, name)
        else:
            yield name, value


def values(settings: StageSettings) -> dict[str, JsonValue]:
    """Every setting by dotted name, as JSON values."""
    return dict(leaves(settings.model_dump(mode="json")))


@cache
def setting_names() -> tuple[str, ...]:
    """The dotted name of every setting, those of every plug-in that is installed included."""
    return tuple(dict.fromkeys(_names(StageSettings)))


def _names(model: type[Settings], path: str = "") -> Iterator[str]:
    inner: dict[str, list[type[Settings]]] = {}
    for key, table in tables_in(model):
        inner.setdefault(key, []).append(table)
    for key in model.model_fields:
        name = f"{path}.{key}" if path else key
        if key not in inner:
            yield name
        for table in inner.get(key, ()):
            yield from _names(table, name)


def homes(key: str) -> tuple[str, ...]:
    """The tables that have a setting of this name."""
    split = (name.rpartition(".") for name in setting_names())
    return tuple(table for table, _, last in split if last == key)
