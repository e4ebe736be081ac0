"""Columns: the DuckDB types of values that pydantic models describe. Knows no model and no table.

A field becomes a column, but for two shapes that become tables of their own: a tuple of models (a
row each), and a model of lists that belong together (a row for each place in them).
"""

from __future__ import annotations

import types
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

SCALARS: dict[object, str] = {
    bool: "BOOLEAN",
    int: "BIGINT",
    float: "DOUBLE",
    str: "VARCHAR",
    datetime: "TIMESTAMP",
}
Model = type[BaseModel]


@dataclass(frozen=True)
class Column:
    """A column: its name, its DuckDB type, and what stands for a value that is left out (SQL)."""

    name: str
    kind: str
    default: str = "NULL"
    required: bool = False

    @property
    def scalar(self) -> bool:
        """Whether it holds one plain value."""
        return self.kind in SCALARS.values()

    @property
    def declared(self) -> str:
        """As a table's definition has it."""
        return f"{quoted(self.name)} {self.kind}"

    def read(self, place: str) -> str:
        """The value in a struct, as a column."""
        value = f"{place}.{quoted(self.name)}"
        filled = value if self.default == "NULL" else f"coalesce({value}, {self.default})"
        return f"{filled} as {quoted(self.name)}"


def columns(model: Model) -> tuple[Column, ...]:
    """The fields of a model that are columns of its table."""
    return tuple(
        _column(name, field)
        for name, field in model.model_fields.items()
        if rows_model(field) is None and lists_model(field) is None
    )


def rows_model(field: FieldInfo) -> Model | None:
    """The model of a field that is a tuple of models."""
    inner = _inner(field.annotation)
    arguments = get_args(inner) if get_origin(inner) is tuple else ()
    return arguments[0] if arguments and _is_model(arguments[0]) else None


def lists_model(field: FieldInfo) -> Model | None:
    """The model of a field that is a model of nothing but lists, and maps of lists."""
    inner = _inner(field.annotation)
    if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
        return None
    kinds = [kind(each.annotation) for each in inner.model_fields.values()]
    return inner if all(one.endswith(("[]", "[])")) for one in kinds) else None


def elements(model: Model) -> tuple[Column, ...]:
    """The columns of a model of lists: one element of each."""
    found = []
    for name, field in model.model_fields.items():
        whole = kind(field.annotation)
        one = whole.removesuffix("[]") if whole.endswith("[]") else whole.removesuffix("[])") + ")"
        found.append(Column(name, one))
    return tuple(found)


def kind(annotation: object) -> str:
    """The DuckDB type of a Python one; JSON for what has no other."""
    inner = _inner(annotation)
    if inner in SCALARS:
        return SCALARS[inner]
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        return struct(Column(name, kind(f.annotation)) for name, f in inner.model_fields.items())
    arguments = get_args(inner)
    origin = get_origin(inner)
    if origin is Literal:
        return kind(type(arguments[0]))
    if origin is tuple:
        return f"{kind(arguments[0])}[]"
    if origin is dict:
        return f"MAP({kind(arguments[0])}, {kind(arguments[1])})"
    return "JSON"


def struct(parts: Iterable[Column]) -> str:
    """A struct of these columns."""
    return f"STRUCT({', '.join(part.declared for part in parts)})"


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text as SQL has it."""
    return "'" + value.replace("'", "''") + "'"


def _column(name: str, field: FieldInfo) -> Column:
    default = _default(field.get_default(call_default_factory=True))
    return Column(name, kind(field.annotation), default, field.is_required())


def _default(value: object) -> str:
    """What written values leave out, as SQL."""
    match value:
        case bool() | int() | float():
            return str(value)
        case str():
            return text(value)
        case tuple():
            return f"[{', '.join(map(_default, value))}]"
        case dict() if not value:
            return "MAP {}"
        case _ if value is PydanticUndefined or value is None or isinstance(value, BaseModel):
            return "NULL"
    raise TypeError(f"a default of {value!r} cannot be a column's")


def _inner(annotation: object) -> object:
    """A type without what is said beside it, and without None."""
    if get_origin(annotation) is Annotated:
        return _inner(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        some = [part for part in get_args(annotation) if part is not type(None)]
        return _inner(some[0]) if len(some) == 1 else annotation
    return annotation


def _is_model(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseModel)
