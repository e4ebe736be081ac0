from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from studyspec.errors import FileError
from studyspec.particles.measures import COLUMNS, Particle
from studyspec.store.particle_files import read_particles, write_particles

KNOWN = Particle("b, c.dm3", 1, 1.0, 2.0, 3, 1.0, 2.0, 3.0, 4.0, 5.0, 0.9, True, False, 0.5, 0.25)
UNKNOWN = Particle("a", 2, 1.0, 2.5, 3, None, None, None, None, None, 1.0, False, True, 0.5, None)


@pytest.mark.parametrize("rows", [(KNOWN, UNKNOWN), (UNKNOWN,), ()])
def test_tables_come_back_as_they_were(tmp_path: Path, rows: tuple[Particle, ...]) -> None:
    for path in write_particles(rows, tmp_path / "x_particles", "{}"):
        assert read_particles(path) == rows


def test_a_parquet_file_bears_types_and_provenance(tmp_path: Path) -> None:
    _, path = write_particles((KNOWN,), tmp_path / "x", '{"split": "it\'s µ"}')
    with duckdb.connect(":memory:") as connection:
        words = connection.execute(
            "select decode(value) from parquet_kv_metadata(?) where decode(key) = 'studyspec'",
            [str(path)],
        ).fetchone()
        kinds = connection.execute(f"describe from read_parquet('{path}')").fetchall()
    assert words == ('{"split": "it\'s µ"}',)
    assert [kind[:2] for kind in kinds][:2] == [("image", "VARCHAR"), ("particle", "BIGINT")]
    assert [kind[0] for kind in kinds] == [column.name for column in COLUMNS]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "image,particle\nx,1\n", "no table of particles: "),
        ("a.parquet", "no", "no table of particles: "),
        ("a.txt", "x", r"unknown kind '\.txt'"),
        ("gone.csv", None, "no such file"),
    ],
)
def test_what_is_no_table_is_named(
    tmp_path: Path, name: str, text: str | None, message: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(FileError, match=rf"{name}: {message}"):
        read_particles(tmp_path / name)
