from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from studyspec.catalog.addresses import Address, resolve
from studyspec.catalog.download import loopback
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
    assert f"{path}: SHA-256 is" in found.wrong[0]


def test_a_login_page_is_not_pinned(tmp_path: Path, server: FileServer) -> None:
    (server.folder / "login.dm3").write_text("<!DOCTYPE html><title>Who are you?</title>")
    address = f"{server.url}login.dm3"
    report = fetcher(tmp_path, server).fetch([address, uri(0)])
    assert report.fetched == (uri(0),)
    with pytest.raises(FetchError, match=r"login\.dm3: what came is not .* b'<!DOCTYPE html>"):
        report.raise_failures()
    assert [pin.uri for pin in Pins.beside(tmp_path / "catalog.parquet").all()] == [uri(0)]
    assert not fetched(tmp_path, server, address).exists()


def test_a_file_that_changes_between_two_parts_is_begun_anew(
    tmp_path: Path, server: FileServer
) -> None:
    server.cut["a folder/1.dm3"] = 3
    fetcher(tmp_path, server).fetch([uri(1)])
    write_dm(server.folder / "a folder" / "1.dm3", np.ones((96, 96), np.uint16), 0.02)
    fetcher(tmp_path, server).fetch([uri(1)]).raise_failures()
    assert (read_image(fetched(tmp_path, server, uri(1))).pixels == 1).all()


@pytest.mark.parametrize("lie", ["bytes 1-9/10", "bytes 7-8/99999", "", "nonsense"])
def test_a_rest_of_another_file_is_not_joined_on(
    tmp_path: Path, server: FileServer, lie: str
) -> None:
    server.cut["a folder/1.dm3"] = 1
    server.lies["a folder/1.dm3"] = {"Content-Range": lie}
    fetcher(tmp_path, server).fetch([uri(1)]).raise_failures()
    served = (server.folder / "a folder" / "1.dm3").read_bytes()
    assert fetched(tmp_path, server, uri(1)).read_bytes() == served


def test_a_part_of_nobody_knows_what_is_begun_anew(tmp_path: Path, server: FileServer) -> None:
    path = fetched(tmp_path, server, uri(1))
    path.parent.mkdir(parents=True)
    path.with_name(f"part-{path.name}").write_bytes(b"rot" * 99)
    fetcher(tmp_path, server).fetch([uri(1)]).raise_failures()
    assert path.read_bytes() == (server.folder / "a folder" / "1.dm3").read_bytes()


def test_one_bad_address_costs_the_others_nothing(tmp_path: Path, server: FileServer) -> None:
    server.moved["loop.dm3"] = f"{server.url}loop.dm3"
    server.moved["gopher.dm3"] = "gopher://127.0.0.1/1"
    long = f"{server.url}{'x' * 3000}.dm3"
    bad = ["http://[bad", "https://x.org/a\0.dm3", "../out.dm3", long, "https://../a.dm3"]
    bad += [f"{server.url}loop.dm3", f"{server.url}gopher.dm3"]
    report = fetcher(tmp_path, server).fetch([*bad, uri(0), uri(2)])
    assert set(report.fetched) == {uri(0), uri(2)}
    assert set(report.failures) == set(bad)
    assert len(Pins.beside(tmp_path / "catalog.parquet").all()) == 2


def test_nothing_is_written_outside_the_cache(tmp_path: Path, server: FileServer) -> None:
    names = ["..%2f..%2fevil.dm3", "%2fevil.dm3"]
    for name in names:
        server.moved[unquote(name).lstrip("/")] = f"{server.url}a%20folder/0.dm3"
    before = set(tmp_path.rglob("*"))
    fetcher(tmp_path, server).fetch([server.url + name for name in names]).raise_failures()
    new = {path for path in tmp_path.rglob("*") if path not in before}
    new -= set((tmp_path / "cache").rglob("*"))
    assert new == {tmp_path / name for name in ("cache", "pins.csv", ".pins.csv.lock")}


def test_other_machines_are_asked_by_https_alone(tmp_path: Path, server: FileServer) -> None:
    address = "http://192.0.2.1/0.dm3"
    report = fetcher(tmp_path, server).fetch([address])
    assert "not an https address" in report.failures[address].text
    assert "--allow-http" in report.failures[address].text
    server.moved["away.dm3"] = address
    away = f"{server.url}away.dm3"
    report = fetcher(tmp_path, server).fetch([away])
    assert f"which {away} leads to" in report.failures[away].text


@pytest.mark.parametrize(
    ("host", "here"),
    [("localhost", True), ("127.0.0.9", True), ("::1", True), ("127.0.0.1.x.org", False)],
)
def test_loopback_is_this_machine_alone(host: str, here: bool) -> None:
    assert loopback(host) == here


def test_several_fetchers_share_one_download(tmp_path: Path, server: FileServer) -> None:
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: fetcher(tmp_path, server).fetch([uri(0)]), range(4)))
    assert [report.fetched for report in reports] == [(uri(0),)] * 4
    assert server.asked["a folder/0.dm3"] == 1
