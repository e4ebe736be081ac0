"""Addresses: what the uri of a catalog row means, and which files are fetched. Opens nothing.

A catalog may be anybody's: what it names stays below its own folder, below those that the user gave
himself, or in the cache, under a name that is made here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from studyspec.catalog.published import BASE_ADDRESS, SCHEME
from studyspec.errors import FileError
from studyspec.plugins.contracts import Whereabouts
from studyspec.plugins.registry import READERS
from studyspec.spec.identity import digest

LOCAL = ("", "file")
"""Schemes of files on a disk; the empty one is a plain path, relative to the catalog's folder."""
REMOTE = ("http", "https", SCHEME)
"""Schemes of files that are fetched into the cache."""
HEAD = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
FETCHED = "files"
"""The folder of the cache that holds what was fetched."""
OUTSIDE = (
    "if that is right, add the images by `studyspec catalog add`, or name the folder in the study: "
    "catalog.folders"
)


@dataclass(frozen=True)
class Address:
    """A file on disk (`path`), or one to fetch from `url` into the cache.

    `name` is what the catalog calls it, for people: no path is ever made of it.
    """

    path: Path
    url: str | None = None
    name: str = ""

    @property
    def absent(self) -> bool:
        """Whether it must be fetched before it can be read."""
        return self.url is not None and not self.path.exists()


def scheme_of(uri: str) -> str:
    """What stands before the colon of a uri, in lower case; empty for a plain path."""
    head = HEAD.match(uri)
    return head[1].lower() if head else ""


def resolve(uri: str, at: Whereabouts) -> Address | None:
    """Where the file of a uri is, or will be once fetched; None if it does not name a file.

    Raises
    ------
    FileError
        If the uri is none, or leads out of the folders that it may lead to.
    """
    if "\0" in uri:
        raise FileError("an address with a NUL character", where=uri)
    try:
        return _resolved(uri, scheme_of(uri), at)
    except ValueError as error:  # of the parts of a URL
        raise FileError(f"no address: {error}", where=uri, hint="mend the catalog") from None


def uri_of(path: Path, catalog: Path) -> str:
    """A path as a catalog keeps it: relative to its folder where it lies below that."""
    path, base = path.absolute(), catalog.absolute().parent
    text = str(path.relative_to(base)) if path.is_relative_to(base) else str(path)
    return f"./{text}" if scheme_of(text) else text


def within(path: Path, folders: Iterable[Path]) -> bool:
    """Whether a path lies in one of some folders, once all links are followed."""
    real = Path(os.path.realpath(path))
    return any(real.is_relative_to(os.path.realpath(folder)) for folder in folders)


def _resolved(uri: str, scheme: str, at: Whereabouts) -> Address | None:
    if scheme == SCHEME:
        base = (at.base_address or BASE_ADDRESS).rstrip("/") + "/"
        url = base + uri[len(SCHEME) + 1 :]
        # The name in the cache is that of the published file, whichever mirror it comes from.
        if scheme_of(url) != "file":
            return _cached(url, uri, at)
        return Address(_inside(_path_of(url), uri, [_path_of(base)]))
    if scheme in REMOTE:
        return _cached(uri, uri, at)
    if scheme not in LOCAL:
        return None
    path = _path_of(uri) if scheme else (at.catalog.parent / uri).absolute()
    return Address(_inside(path, uri, [at.catalog.absolute().parent, *at.folders]))


def _inside(path: Path, uri: str, folders: Iterable[Path]) -> Path:
    if within(path, folders):
        return path
    what = "the address leads out of the catalog's folder, which a catalog of others may not do"
    raise FileError(what, where=uri, hint=OUTSIDE)


def _cached(url: str, identity: str, at: Whereabouts) -> Address:
    """The place of a fetched file: named by a digest, and by the suffix if a reader knows it."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise FileError("an address without a host", where=url, hint="mend the catalog")
    name = PurePosixPath(unquote(parts.path)).name
    suffix = PurePosixPath(name).suffix.lower()
    known = suffix if any(suffix in reader.suffixes for reader in READERS) else ""
    return Address(at.cache / FETCHED / f"{digest(identity)}{known}", url, name)


def _path_of(url: str) -> Path:
    return Path(unquote(urlsplit(url).path))
