from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studyspec.catalog.addresses import Address, resolve
from studyspec.catalog.fetch import Fetcher
from studyspec.catalog.pins import Pins
from studyspec.catalog.readers import read_image
from studyspec.catalog.verify import verify
from studyspec.errors import FetchError
from studyspec.plugins.contracts import Whereabouts
from tests.camera_files import write_dm
from tests.file_server import FileServer, serve


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FileServer]:
    folder = tmp_path / "served" / "a folder"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for i in range(4):
        write_dm(folder / f"{i}.dm3", rng.integers(0, 999, (96, 96)).astype(np.uint16), 0.02)
    with serve(tmp_path / "served") as files:
        yield files


def uri(i: int) -> str:
    return f"published:a%20folder/{i}.dm3"


def at(tmp_path: Path, server: FileServer) -> Whereabouts:
    return Whereabouts(tmp_path / "catalog.parquet", tmp_path / "cache", server.url)


def fetcher(tmp_path: Path, server: FileServer) -> Fetcher:
    return Fetcher(at(tmp_path, server))


def fetched(tmp_path: Path, server: FileServer, uri: str) -> Path:
    address = resolve(uri, at(tmp_path, server))
    assert address is not None
    return address.path


def test_files_arrive_whole_and_are_pinned(tmp_path: Path, server: FileServer) -> None:
    one = fetcher(tmp_path, server)
    report = one.fetch([uri(i) for i in range(4)])
    assert len(report.fetched) == 4
    path = fetched(tmp_path, server, uri(2))
    assert path.read_bytes() == (server.folder / "a folder" / "2.dm3").read_bytes()
    assert read_image(path).pixels.shape == (96, 96)
    assert len(Pins.beside(tmp_path / "catalog.parquet").all()) == 4


def test_what_is_here_is_not_asked_for_again(tmp_path: Path, server: FileServer) -> None:
    fetcher(tmp_path, server).fetch([uri(0)])
    fetcher(tmp_path, server).fetch([uri(0)])
    assert server.asked["a folder/0.dm3"] == 1


def test_a_download_that_breaks_off_goes_on_where_it_stopped(
    tmp_path: Path, server: FileServer
) -> None:
    server.cut["a folder/1.dm3"] = 1
    fetcher(tmp_path, server).fetch([uri(1)]).raise_failures()
    assert len(server.ranges) == 1


def test_a_file_that_always_breaks_off_is_an_error_and_keeps_its_part(
    tmp_path: Path, server: FileServer
) -> None:
    server.cut["a folder/1.dm3"] = 3
    report = fetcher(tmp_path, server).fetch([uri(1), uri(0)])
    assert report.fetched == (uri(0),)
    with pytest.raises(FetchError, match=r"1 of 2 files could not .*\n .*1.dm3: .*3 times"):
        report.raise_failures()
    fetcher(tmp_path, server).fetch([uri(1)]).raise_failures()


def test_a_missing_file_names_its_address(tmp_path: Path, server: FileServer) -> None:
    report = fetcher(tmp_path, server).fetch(["published:a%20folder/none.dm3"])
    with pytest.raises(FetchError, match=r"none\.dm3: the server answered 404"):
        report.raise_failures()


def test_a_file_that_differs_from_its_pin_is_refused(tmp_path: Path, server: FileServer) -> None:
    fetcher(tmp_path, server).fetch([uri(0)])
    path = fetched(tmp_path, server, uri(0))
    path.unlink()
    write_dm(server.folder / "a folder" / "0.dm3", np.zeros((96, 96), np.uint16), 0.02)
    with pytest.raises(FetchError, match="the file changed: its SHA-256 is"):
        fetcher(tmp_path, server).fetch([uri(0)]).raise_failures()
    assert not path.exists()


def test_progress_is_told_up_to_the_last_byte(tmp_path: Path, server: FileServer) -> None:
    told: list[tuple[str, int, int | None]] = []
    fetcher(tmp_path, server).fetch([uri(0)], lambda *said: told.append(said))
    size = (server.folder / "a folder" / "0.dm3").stat().st_size
    assert told[-1] == ("0.dm3", size, size)


def test_file_addresses_need_no_fetching(tmp_path: Path, server: FileServer) -> None:
    path = server.folder / "a folder" / "0.dm3"
    mirror = replace(at(tmp_path, server), base_address=path.parent.parent.as_uri())
    assert resolve(uri(0), mirror) == Address(path)
    report = Fetcher(mirror).fetch([uri(0), path.as_uri(), "x/y.dm3", "twin:7"])
    assert (report.fetched, dict(report.failures)) == ((), {})


def test_verify_finds_the_file_that_changed(tmp_path: Path, server: FileServer) -> None:
    one = fetcher(tmp_path, server)
    one.fetch([uri(0), uri(1)])
    path = fetched(tmp_path, server, uri(1))
    path.write_bytes(b"rot")
    found = verify(at(tmp_path, server))
    assert (found.intact, found.absent) == (1, 0)
    assert "1.dm3: SHA-256 is" in found.wrong[0]
