"""The whole content of a store, to compare one with another."""

from __future__ import annotations

from studyspec.store.database import open_database
from studyspec.store.folder import Results

Dump = dict[str, list[str]]
DIGITS = 12
"""Sums of float64 in another order differ in the last of their 15 or 16 digits."""


def dump(results: Results) -> Dump:
    """The rows of every table and view as sorted text, by name."""
    with open_database(results, read_only=True) as connection:
        names = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "union all select schema_name || '.' || view_name from duckdb_views() "
            "where not internal"
        ).fetchall()
        return {
            name: sorted(map(_told, connection.execute(f"from {name}").fetchall()))
            for (name,) in names
        }


def _told(row: tuple[object, ...]) -> str:
    return repr([f"{one:.{DIGITS}g}" if isinstance(one, float) else one for one in row])
