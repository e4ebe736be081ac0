"""Exports: the answer to a query as CSV, JSON or Parquet. The query itself can write nothing."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path

import duckdb

from studyspec.errors import StoreError
from studyspec.files import whole
from studyspec.neutral import for_csv
from studyspec.store.snapshot import Cell, Table
from studyspec.store.sql_types import quoted, text

PART = 50_000


def write_csv(table: Table, path: Path) -> None:
    """Write the rows as CSV (RFC 4180), unknown values as nothing, formulas as text."""
    with _writing(path) as half, half.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(map(for_csv, table.columns))
        writer.writerows(map(for_csv, row) for row in table.rows)


def write_json(table: Table, path: Path) -> None:
    """Write the rows as a JSON list of objects, times as ISO text."""
    rows = json.dumps(table.dicts(), default=_plain, ensure_ascii=False, indent=1)
    with _writing(path) as half:
        half.write_text(rows + "\n", encoding="utf-8")


def write_parquet(table: Table, path: Path, told: Mapping[str, str] | None = None) -> None:
    """Write the rows as Parquet, each column in the type that the query gave it.

    `told` are words that the file bears beside the rows, by name.
    """
    columns = list(zip(table.columns, table.types, strict=True))
    names = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns)
    values = ", ".join(f"unnest(${i + 1}::{kind}[])" for i, (_, kind) in enumerate(columns))
    with _writing(path) as half, duckdb.connect(":memory:") as connection:
        connection.execute(f"create table answer ({names})")
        for start in range(0, len(table.rows), PART):
            part = zip(*table.rows[start : start + PART], strict=True)
            given = [
                list(map(_map, column)) if kind.startswith("MAP(") else list(column)
                for column, kind in zip(part, table.types, strict=True)
            ]
            connection.execute(f"insert into answer select {values}", given)
        target = text(str(half))
        words = ", ".join(f"{quoted(name)}: {text(word)}" for name, word in (told or {}).items())
        more = f", kv_metadata {{{words}}}" if words else ""
        connection.execute(f"copy answer to {target} (format parquet, compression zstd{more})")


@contextmanager
def _writing(path: Path) -> Iterator[Path]:
    """Where to write what is to be at `path`: a device, as a pipe, is written to as it is."""
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            yield path
        else:
            with whole(path, durable=False) as half:
                yield half
    except (OSError, duckdb.IOException) as error:
        raise StoreError(f"cannot be written: {error}", where=str(path)) from None


def _map(cell: Cell) -> Cell:
    """A map as DuckDB takes it, whatever its keys."""
    if isinstance(cell, dict):
        return {"key": list(cell), "value": list(cell.values())}
    return cell


def _plain(value: Cell) -> str:
    return value.isoformat() if isinstance(value, date | datetime | time) else str(value)
