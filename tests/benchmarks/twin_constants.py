"""Constants of the twin, with what their comments say of each: measured, literature or fitted."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass

from studyspec.twin.constants import CONSTANTS

FIELD = re.compile(r"^    (\w+): [^=]+ = ")
COMMENT = re.compile(r"#\s*(.*)$")


@dataclass(frozen=True)
class Constant:
    """One constant: "lens.cs_um", its value, and where it comes from."""

    name: str
    value: str
    origin: str


def constants() -> Iterator[Constant]:
    """All that are fields of the twin's tables, in order."""
    for table in fields(CONSTANTS):
        group = getattr(CONSTANTS, table.name)
        assert is_dataclass(group)
        origins = comments(type(group))
        for one in fields(group):
            value = getattr(group, one.name)
            shown = f"{len(value)} samples" if one.name == "samples" else str(value)
            yield Constant(f"{table.name}.{one.name}", shown, origins.get(one.name, ""))


def comments(table: type) -> dict[str, str]:
    """For each field the comment beside it or in its value; else the one above it and the last."""
    found: dict[str, str] = {}
    above, name = "", ""
    for line in inspect.getsource(table).splitlines():
        said = COMMENT.search(line)
        if field := FIELD.match(line):
            name = field[1]
            found[name] = above if not said else ""
            above = "" if said else above
        if said and line.startswith("    #"):
            above = f"{above} {said[1]}".strip()
        elif said and name:
            found[name] = f"{found[name]} {said[1]}".strip()
    return found
