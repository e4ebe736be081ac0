from __future__ import annotations

from pathlib import Path

import pytest

from studyspec.catalog.pins import Pin, Pins
from studyspec.errors import CatalogError


def test_a_pin_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    pins = Pins.beside(tmp_path / "catalog.parquet")
    pins.add([Pin("published:b", "bb", 2), Pin("published:a", "aa", 1)])
    pins.add([Pin("published:a", "cc", 3)])
    assert [pin.sha256 for pin in pins.all()] == ["aa", "bb"]
    assert pins.path.read_text().splitlines()[0] == "uri,sha256,bytes"


def test_pins_that_another_process_added_are_seen(tmp_path: Path) -> None:
    one, other = (Pins.beside(tmp_path / "catalog.parquet") for _ in range(2))
    assert one.get("published:a") is None
    other.add([Pin("published:a", "aa", 1)])
    assert one.get("published:a") == Pin("published:a", "aa", 1)
    other.add([Pin("published:b", "bb", 1)])
    assert one.get("published:b") is not None


def test_a_file_of_something_else_is_told(tmp_path: Path) -> None:
    (tmp_path / "pins.csv").write_text("a,b\n1,2\n")
    with pytest.raises(CatalogError, match=r"pins\.csv: not a list of pins: expected the columns"):
        Pins.beside(tmp_path / "catalog.parquet").get("x")
