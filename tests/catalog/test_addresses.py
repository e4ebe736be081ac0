from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from studyspec.catalog.addresses import Address, resolve, scheme_of, uri_of
from studyspec.errors import FileError
from studyspec.plugins.contracts import Whereabouts

AT = Whereabouts(Path("/data/catalog.parquet"), Path("/cache"), "https://mirror.org/all/")


@pytest.mark.parametrize(
    ("uri", "scheme"),
    [
        ("run7/0.dm3", ""),
        ("/abs/0.dm3", ""),
        ("2021-08-26 10:30/0.dm3", ""),
        ("./odd:name.dm3", ""),
        ("twin-exact:7", "twin-exact"),
        ("HTTPS://x.org/a", "https"),
        ("published:a%20b/0.dm3", "published"),
    ],
)
def test_a_scheme_is_what_stands_before_the_colon(uri: str, scheme: str) -> None:
    assert scheme_of(uri) == scheme


def test_paths_start_in_the_catalogs_folder() -> None:
    assert resolve("run7/0.dm3", AT) == Address(Path("/data/run7/0.dm3"))
    assert resolve("file:///data/a%20c.dm3", AT) == Address(Path("/data/a c.dm3"))


def test_published_files_lie_below_the_base_address_and_have_one_place_in_the_cache() -> None:
    here, there = (
        resolve("published:a%20b/0.dm3", Whereabouts(AT.catalog, AT.cache, base))
        for base in (AT.base_address, None)
    )
    assert here is not None
    assert there is not None
    assert (here.path, here.name) == (there.path, "0.dm3")
    assert here.url == "https://mirror.org/all/a%20b/0.dm3"


def test_what_names_no_file_has_no_address() -> None:
    assert resolve("twin:7", AT) is None


def test_a_path_with_a_colon_stays_a_path() -> None:
    uri = uri_of(Path("/data/odd:name.dm3"), AT.catalog)
    assert uri == "./odd:name.dm3"
    assert resolve(uri, AT) == Address(Path("/data/odd:name.dm3"))
    assert uri_of(Path("/elsewhere/a.dm3"), AT.catalog) == "/elsewhere/a.dm3"


@pytest.mark.parametrize(
    "name",
    ["..%2f..%2fevil.tif", "%2fabs.tif", "..", "%2e%2e", "a.tif%00b", "x" * 5000 + ".tif", ".TIF"],
)
def test_a_fetched_file_is_named_by_a_digest_whatever_its_address(name: str) -> None:
    found = resolve(f"https://x.org/a/{name}", AT)
    assert found is not None
    assert found.path.parent == Path("/cache/files")
    assert re.fullmatch(r"[0-9a-f]{64}(\.tif)?", found.path.name)


def test_a_suffix_is_one_that_a_reader_knows() -> None:
    known, unknown = (resolve(f"https://x.org/a.{s}", AT) for s in ("DM3", "desktop"))
    assert known is not None
    assert unknown is not None
    assert (known.path.suffix, unknown.path.suffix) == (".dm3", "")


@pytest.mark.parametrize(
    "uri", ["../secret.tif", "/etc/secret.tif", "file:///etc/secret.tif", "a/../../secret.tif"]
)
def test_addresses_do_not_leave_the_catalogs_folder(uri: str) -> None:
    with pytest.raises(FileError, match=r"leads out of the catalog's folder.*catalog\.folders"):
        resolve(uri, AT)
    own = replace(AT, folders=(Path("/etc"), Path("/")))
    assert resolve(uri, own) is not None


def test_a_link_leads_no_further_than_a_path(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (inside / "link").symlink_to(outside)
    (inside / "file.tif").symlink_to(outside / "file.tif")
    at = Whereabouts(inside / "catalog.parquet", tmp_path / "cache")
    for uri in ("link/file.tif", "file.tif"):
        with pytest.raises(FileError, match="leads out of"):
            resolve(uri, at)
        assert resolve(uri, replace(at, folders=(outside,))) is not None


def test_a_mirror_on_a_disk_gives_nothing_from_beside_it() -> None:
    at = Whereabouts(AT.catalog, AT.cache, "file:///mirror/")
    assert resolve("published:a/0.dm3", at) == Address(Path("/mirror/a/0.dm3"))
    with pytest.raises(FileError, match="leads out of"):
        resolve("published:..%2fetc/0.dm3", at)


@pytest.mark.parametrize("uri", ["http://[bad", "a\0b.tif", "https://", "https:///a.tif"])
def test_what_is_no_address_is_said(uri: str) -> None:
    with pytest.raises(FileError, match="address"):
        resolve(uri, AT)
