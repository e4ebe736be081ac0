from __future__ import annotations

from pathlib import Path

import pytest

from studyspec.catalog.addresses import Address, resolve, scheme_of, uri_of
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
    assert resolve("file:///b/a%20c.dm3", AT) == Address(Path("/b/a c.dm3"))


def test_published_files_lie_below_the_base_address_and_have_one_place_in_the_cache() -> None:
    here, there = (
        resolve("published:a%20b/0.dm3", Whereabouts(AT.catalog, AT.cache, base))
        for base in (AT.base_address, None)
    )
    assert here is not None
    assert there is not None
    assert (here.path, here.path.name) == (there.path, "0.dm3")
    assert here.url == "https://mirror.org/all/a%20b/0.dm3"


def test_what_names_no_file_has_no_address() -> None:
    assert resolve("twin:7", AT) is None


def test_a_path_with_a_colon_stays_a_path() -> None:
    uri = uri_of(Path("/data/odd:name.dm3"), AT.catalog)
    assert uri == "./odd:name.dm3"
    assert resolve(uri, AT) == Address(Path("/data/odd:name.dm3"))
    assert uri_of(Path("/elsewhere/a.dm3"), AT.catalog) == "/elsewhere/a.dm3"
