"""Functions of the row: which SQL conditions say the same of a row today, tomorrow and elsewhere.

A dataset whose filter asks for chance, the clock or other rows would be another one at each look.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import duckdb

CLOCKS = frozenset({"localtime", "localtimestamp", "current_time", "current_timestamp", "rowid"})
"""Words that are no columns and no functions of DuckDB's list, and change."""
OF_SESSION = ("current_", "session_", "user", "pg_", "has_", "inet_", "txid_")
SETTINGS = frozenset({"getvariable", "current_setting"})
CLASSES = {
    "SUBQUERY": "it asks for other rows",
    "WINDOW": "it asks for other rows",
    "PARAMETER": "it has a place for a value that nobody gives",
}
CHANGING = """
select distinct lower(function_name) from duckdb_functions()
where function_type = 'scalar' and stability <> 'CONSISTENT'
"""


def not_of_the_row(
    connection: duckdb.DuckDBPyConnection, sql: str, columns: Mapping[str, str]
) -> str:
    """Why a condition is no function of the row; empty if it is one, or no SQL at all."""
    asked = [f"select ({sql}\n) from catalog"]
    [(text,)] = connection.execute("select json_serialize_sql(?)", asked).fetchall()
    try:
        tree = json.loads(text)
        if tree["error"]:
            return ""
        parts = list(_expressions(tree["statements"][0]["node"]["select_list"]))
    except RecursionError:
        return "it is nested too deep"
    changing = {name for (name,) in connection.execute(CHANGING).fetchall()} | CLOCKS | SETTINGS
    own = {name.casefold() for name in columns}
    faults = (_fault(part, changing, own) for part in parts)
    return next((fault for fault in faults if fault), "")


def _expressions(tree: object) -> Iterator[Mapping[str, object]]:
    """Every expression within a tree, outer ones first."""
    if isinstance(tree, dict):
        if "class" in tree:
            yield tree
        for inner in tree.values():
            yield from _expressions(inner)
    elif isinstance(tree, list):
        for inner in tree:
            yield from _expressions(inner)


def _fault(part: Mapping[str, object], changing: set[str], own: set[str]) -> str:
    if part["class"] in CLASSES:
        return CLASSES[str(part["class"])]
    if part["class"] == "COLUMN_REF":
        names = part.get("column_names")
        name = str(names[-1]).lower() if isinstance(names, list) else ""
        known = name in own
    else:
        name, known = str(part.get("function_name", "")).lower(), False
    if not name or known:
        return ""
    children = part.get("children")
    since_today = name == "age" and isinstance(children, list) and len(children) == 1
    if name in changing or name.startswith(OF_SESSION) or since_today:
        return f"'{name}' is another at each look"
    return ""
