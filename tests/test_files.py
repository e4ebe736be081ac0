from __future__ import annotations

import threading
from pathlib import Path

import pytest

from studyspec.files import beside, whole, whole_folder, write


def break_off(path: Path) -> None:
    """Write something, and fail."""
    path.write_text("new")
    raise ZeroDivisionError


def test_text_and_bytes_are_written_into_a_new_folder(tmp_path: Path) -> None:
    write(tmp_path / "a" / "text", "Å\n")
    write(tmp_path / "a" / "bytes", b"\x00", durable=False)
    assert (tmp_path / "a" / "text").read_bytes() == "Å\n".encode()
    assert (tmp_path / "a" / "bytes").read_bytes() == b"\x00"
    assert len(list((tmp_path / "a").iterdir())) == 2


@pytest.mark.parametrize("durable", [True, False])
def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "file.csv"
    write(path, "old")
    with pytest.raises(ZeroDivisionError), whole(path, durable) as half:
        break_off(half)
    assert [p.name for p in tmp_path.iterdir()] == ["file.csv"]
    assert path.read_text() == "old"


def test_a_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole(tmp_path / "file"):
        pass
    assert not list(tmp_path.iterdir())


def test_the_place_is_hidden_ends_as_the_file_does_and_is_nobody_elses(tmp_path: Path) -> None:
    one, other = (beside(tmp_path / "image.npz") for _ in range(2))
    assert one.parent == tmp_path
    assert one.name.startswith(".")
    assert one.suffix == ".npz"
    assert one != other


def test_a_file_of_many_writers_is_always_one_of_theirs(tmp_path: Path) -> None:
    path = tmp_path / "file"
    texts = [str(n) * 100_000 for n in range(4)]
    threads = [threading.Thread(target=write, args=(path, text, False)) for text in texts]
    write(path, texts[0])
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert path.read_text() in texts
    assert path.read_text() in texts
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_comes_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "key") as half:
        break_off(half / "a")
    assert not list(tmp_path.iterdir())
    with whole_folder(tmp_path / "key") as half:
        (half / "a").write_text("1")
        assert not (tmp_path / "key").exists()
    assert (tmp_path / "key" / "a").read_text() == "1"


def test_of_two_writers_of_a_folder_the_first_stays(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "key") as late:
        (late / "a").write_text("late")
        with whole_folder(tmp_path / "key") as early:
            (early / "a").write_text("early")
    assert (tmp_path / "key" / "a").read_text() == "early"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("a file is in the way")
    with pytest.raises(OSError, match="key"), whole_folder(tmp_path / "key") as half:
        (half / "a").write_text("1")
    assert [path.name for path in tmp_path.iterdir()] == ["key"]
