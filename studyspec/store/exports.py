"""Exports: the answer to a query as CSV, JSON or Parquet. The query itself can write nothing."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import duckdb

from studyspec.errors import StoreError
from studyspec.store.queries import Table

PART = 50_000


def write_csv(table: Table, path: Path) -> None:
    """Write the rows as CSV (RFC 4180), unknown values as nothing."""
    with _writing(path), path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(table.columns)
        writer.writerows(table.rows)


def write_json(table: Table, path: Path) -> None:
    """Write the rows as a JSON list of objects, times as ISO text."""
    text = json.dumps(table.dicts(), default=_plain, ensure_ascii=False, indent=1)
    with _writing(path):
        path.write_text(text + "\n", encoding="utf-8")


def write_parquet(table: Table, path: Path) -> None:
    """Write the rows as Parquet, each column in the type that the query gave it."""
    columns = list(zip(table.columns, table.types, strict=True))
    names = ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}" {kind}' for name, kind in columns)
    values = ", ".join(f"unnest(${i + 1}::{kind}[])" for i, (_, kind) in enumerate(columns))
    target = str(path).replace("'", "''")
    with _writing(path), duckdb.connect(":memory:") as connection:
        connection.execute(f"create table answer ({names})")
        for start in range(0, len(table.rows), PART):
            part = zip(*table.rows[start : start + PART], strict=True)
            connection.execute(f"insert into answer select {values}", [list(c) for c in part])
        connection.execute(f"copy answer to '{target}' (format parquet, compression zstd)")


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, duckdb.IOException) as error:
        raise StoreError(f"cannot be written: {error}", where=str(path)) from None


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | datetime | time) else str(value)
