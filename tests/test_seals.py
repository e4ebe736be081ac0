from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studyspec.seals import (
    LIST,
    Broken,
    check_folder,
    is_named,
    seal,
    seal_folder,
    sha256,
    unsealed,
)


def flip(path: Path, position: int) -> None:
    """Change one bit of a file; its size and its time of change stay."""
    seen = path.stat()
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))


@given(content=st.binary(max_size=50), data=st.data())
def test_any_bit_that_changed_breaks_a_seal(
    content: bytes, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("sealed") / "file"
    path.write_bytes(content)
    seal(path)
    assert unsealed(path) == content
    flip(path, data.draw(st.integers(0, path.stat().st_size - 1)))
    with pytest.raises(Broken, match="digest"):
        unsealed(path)


@given(content=st.binary(max_size=50), lost=st.integers(1, 20))
def test_a_file_cut_short_breaks_its_seal(
    content: bytes, lost: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("sealed") / "file"
    path.write_bytes(content)
    seal(path)
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(Broken):
        unsealed(path)


def test_files_of_a_folder_are_compared_with_their_digests(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    seal_folder(tmp_path)
    check_folder(tmp_path)
    (tmp_path / "b").write_text("another")
    with pytest.raises(Broken, match="b differs from its digest"):
        check_folder(tmp_path)
    (tmp_path / "b").unlink()
    with pytest.raises(Broken, match="b and the list"):
        check_folder(tmp_path)
    (tmp_path / LIST).unlink()
    with pytest.raises(FileNotFoundError):
        check_folder(tmp_path)


def test_a_digest_is_computed_anew_when_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("one")
    before = sha256(path)
    path.write_text("other")
    assert sha256(path) != before


def test_a_file_is_known_by_the_digest_in_its_name(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    path.write_text("one")
    assert not is_named(path)
    assert is_named(path.rename(tmp_path / f"{sha256(path)}.bin"))
    assert not is_named(tmp_path / "gone.bin")
