"""Addresses: what the uri of a catalog row means, and which files are fetched. Opens nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from studyspec.catalog.published import BASE_ADDRESS, SCHEME
from studyspec.plugins.contracts import Whereabouts
from studyspec.spec.identity import digest

LOCAL = ("", "file")
"""Schemes of files on a disk; the empty one is a plain path, relative to the catalog's folder."""
REMOTE = ("http", "https", SCHEME)
"""Schemes of files that are fetched into the cache."""
HEAD = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")


@dataclass(frozen=True)
class Address:
    """A file on disk (`path`), or one to fetch from `url` into the cache."""

    path: Path
    url: str | None = None

    @property
    def absent(self) -> bool:
        """Whether it must be fetched before it can be read."""
        return self.url is not None and not self.path.exists()


def scheme_of(uri: str) -> str:
    """What stands before the colon of a uri, in lower case; empty for a plain path."""
    head = HEAD.match(uri)
    return head[1].lower() if head else ""


def resolve(uri: str, at: Whereabouts) -> Address | None:
    """Where the file of a uri is, or will be once fetched; None if it does not name a file."""
    scheme = scheme_of(uri)
    if scheme == SCHEME:
        base = (at.base_address or BASE_ADDRESS).rstrip("/") + "/"
        url = base + uri[len(SCHEME) + 1 :]
        # The name in the cache is that of the published file, whichever mirror it comes from.
        return Address(_path_of(url)) if scheme_of(url) == "file" else _cached(url, uri, at)
    if scheme in REMOTE:
        return _cached(uri, uri, at)
    if scheme == "file":
        return Address(_path_of(uri))
    return Address((at.catalog.parent / uri).absolute()) if scheme in LOCAL else None


def uri_of(path: Path, catalog: Path) -> str:
    """A path as a catalog keeps it: relative to its folder where it lies below that."""
    path, base = path.absolute(), catalog.absolute().parent
    text = str(path.relative_to(base)) if path.is_relative_to(base) else str(path)
    return f"./{text}" if scheme_of(text) else text


def _cached(url: str, identity: str, at: Whereabouts) -> Address:
    name = unquote(urlsplit(url).path.rpartition("/")[2])
    return Address(at.cache / digest(identity)[:16] / name, url)


def _path_of(url: str) -> Path:
    return Path(unquote(urlsplit(url).path))
