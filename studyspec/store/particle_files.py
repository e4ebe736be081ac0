"""Tables of particles: written as CSV and Parquet with what they are, and read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

import duckdb

from studyspec.errors import FileError
from studyspec.particles.measures import COLUMNS, Particle
from studyspec.store.answer_files import write_csv, write_parquet
from studyspec.store.snapshot import Table
from studyspec.store.sql_types import SCALARS, quoted

CSV, PARQUET = ".csv", ".parquet"
PROVENANCE = "studyspec"
"""The name under which a Parquet file bears what it was made by, as JSON."""
READERS = {CSV: "read_csv(?, all_varchar = true)", PARQUET: "read_parquet(?)"}


def write_particles(particles: Sequence[Particle], stem: Path, provenance: str) -> tuple[Path, ...]:
    """Write a table as STEM.csv and STEM.parquet; their paths.

    The Parquet file bears the provenance (JSON) as metadata named "studyspec".

    Raises
    ------
    StoreError
        If they cannot be written.
    """
    names = tuple(column.name for column in COLUMNS)
    kinds = tuple(SCALARS[column.kind] for column in COLUMNS)
    table = Table(names, kinds, [astuple(one) for one in particles])
    paths = stem.with_name(stem.name + CSV), stem.with_name(stem.name + PARQUET)
    write_csv(table, paths[0])
    write_parquet(table, paths[1], {PROVENANCE: provenance})
    return paths


def read_particles(path: Path) -> tuple[Particle, ...]:
    """The particles of a table, CSV or Parquet.

    Raises
    ------
    FileError
        If there is none, or it is no such table.
    """
    reader = READERS.get(path.suffix)
    if reader is None:
        raise FileError(
            f"unknown kind '{path.suffix}'", where=str(path), hint="expected csv, parquet"
        )
    if not path.is_file():
        raise FileError("no such file", where=str(path), hint="studyspec predict makes it")
    wanted = ", ".join(f"{quoted(c.name)}::{SCALARS[c.kind]}" for c in COLUMNS)
    try:
        with duckdb.connect(":memory:") as connection:
            rows = connection.execute(f"select {wanted} from {reader}", [str(path)]).fetchall()
    except duckdb.Error as error:
        raise FileError(
            f"no table of particles: {str(error).splitlines()[0]}",
            where=str(path),
            hint="expected what studyspec predict writes",
        ) from None
    return tuple(Particle(*row) for row in rows)
