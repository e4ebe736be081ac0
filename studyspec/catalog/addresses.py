"""Addresses: what the uri of a catalog row means. Opens nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from studyspec.catalog.published import BASE_ADDRESS, SCHEME
from studyspec.spec.identity import digest

TWIN_SCHEMES = ("twin", "twin-drawn", "twin-exact")


@dataclass(frozen=True)
class Address:
    """A file on disk (`path`), or one to fetch from `url` into the cache."""

    path: Path
    url: str | None = None


def is_twin(uri: str) -> bool:
    """Whether the uri names a simulated image rather than a file."""
    return uri.partition(":")[0] in TWIN_SCHEMES


def resolve(uri: str, catalog: Path, cache: Path, base_address: str | None = None) -> Address:
    """Where the file of a uri is, or will be once fetched.

    Parameters
    ----------
    uri
        "published:PATH" below the base address; http(s) or file address; or a path, relative to
        the catalog's folder.
    catalog
        The catalog file.
    cache
        Folder of fetched files.
    base_address
        Address below which the published images lie; default: the authors' own.
    """
    if uri.startswith(SCHEME):
        base = (base_address or BASE_ADDRESS).rstrip("/") + "/"
        # The name in the cache is that of the published file, whichever mirror it comes from.
        return _remote(base + uri.removeprefix(SCHEME), uri, cache)
    scheme = urlsplit(uri).scheme
    if scheme in ("http", "https"):
        return _remote(uri, uri, cache)
    if scheme == "file":
        return Address(Path(unquote(urlsplit(uri).path)))
    return Address((catalog.parent / uri).absolute())


def _remote(url: str, identity: str, cache: Path) -> Address:
    if url.startswith("file:"):
        return Address(Path(unquote(urlsplit(url).path)))
    name = unquote(urlsplit(url).path.rpartition("/")[2])
    return Address(cache / digest(identity)[:16] / name, url)
