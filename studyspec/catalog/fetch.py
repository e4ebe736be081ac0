"""Fetching: remote files into the shared cache, in parallel, opened and pinned at first sight."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import httpx

from studyspec.catalog.addresses import Address, resolve
from studyspec.catalog.download import client, download
from studyspec.catalog.hashes import file_sha256
from studyspec.catalog.locks import locked
from studyspec.catalog.pins import Pin, Pins
from studyspec.catalog.readers import check_readable
from studyspec.errors import FetchError, FileError
from studyspec.files import sync
from studyspec.plugins.contracts import Whereabouts

Listener = Callable[[str, int, int | None], None]
SHOWN_BYTES = 40


@dataclass(frozen=True)
class FetchReport:
    """What came of a fetch: addresses fetched, and why others were not."""

    fetched: tuple[str, ...]
    failures: Mapping[str, FileError]

    def raise_failures(self) -> None:
        """Raise one error that names every failure, if there is any."""
        if self.failures:
            lines = "\n".join(f"  {error.text}" for error in self.failures.values())
            raise FetchError(
                f"{len(self.failures)} of {len(self.failures) + len(self.fetched)} files could "
                f"not be fetched:\n{lines}"
            )


class Fetcher:
    """Fetches the files of one catalog.

    Parameters
    ----------
    at
        The catalog, beside which pins.csv lies, and the cache, which several processes may share.
    """

    def __init__(self, at: Whereabouts) -> None:
        self._at = at
        self._pins = Pins.beside(at.catalog)

    def fetch(
        self, uris: Iterable[str], progress: Listener | None = None, workers: int = 4
    ) -> FetchReport:
        """Fetch files that are not here; a failure of one does not stop the others.

        What is not fetched, such as a file on a disk, is passed over.

        Parameters
        ----------
        uris
            Addresses as the catalog writes them.
        progress
            Told (name, bytes so far, bytes in all or None) of each file, from several threads.
        workers
            Downloads at once.
        """
        fetched: dict[str, Pin] = {}
        failures: dict[str, FileError] = {}
        with client(self._at.allow_http) as server, ThreadPoolExecutor(workers) as pool:
            running = {
                uri: pool.submit(self._fetch_one, server, uri, progress or _silent)
                for uri in dict.fromkeys(uris)
            }
            for uri, future in running.items():
                try:
                    found = future.result()
                except FileError as error:
                    failures[uri] = error
                    continue
                if found is not None:
                    fetched[uri] = found
        if fetched:
            self._pins.add(fetched.values())
        return FetchReport(tuple(fetched), MappingProxyType(failures))

    def _fetch_one(self, server: httpx.Client, uri: str, progress: Listener) -> Pin | None:
        """The pin of a file that is now here; None if nothing is to be fetched."""
        address = resolve(uri, self._at)
        if address is None or address.url is None:
            return None
        try:
            with locked(address.path):
                return self._had(server, uri, address, progress)
        except OSError as error:
            what = f"cannot be written: {error.strerror or error}"
            hint = "free disk, or name another cache: --cache DIR"
            raise FetchError(what, where=str(error.filename or address.path), hint=hint) from None

    def _had(self, server: httpx.Client, uri: str, address: Address, progress: Listener) -> Pin:
        assert address.url is not None
        pin = self._pins.get(uri)
        path, here = address.path, address.path.exists()
        part = path if here else path.with_name(f"part-{path.name}")
        if not here:
            download(server, address.url, part, lambda *n: progress(address.name, *n))
        found = Pin(uri, file_sha256(part), part.stat().st_size)
        try:
            _compare(found, pin, address)
            if pin is None:
                _open(address, part)
        except FetchError:
            if not here:
                part.unlink()
            raise
        if not here:
            sync(part)
            part.replace(path)
            sync(path.parent)
        return found


def _open(address: Address, file: Path) -> None:
    """Refuse what no reader can open: it may be a page that asks for a password."""
    try:
        check_readable(file)
    except FileError as error:
        with file.open("rb") as begun:
            first = begun.read(SHOWN_BYTES)
        raise FetchError(
            f"what came is not the file that it should be: {error.what}; it begins with {first!r}",
            where=str(address.url),
            hint="open the address in a browser: does it want a password? mend the catalog",
        ) from None


def _compare(found: Pin, pin: Pin | None, address: Address) -> None:
    if pin is not None and pin.sha256 != found.sha256:
        raise FetchError(
            f"the file changed: its SHA-256 is {found.sha256[:12]}..., pinned is "
            f"{pin.sha256[:12]}...",
            where=str(address.url),
            hint="if the change is right, delete its line in pins.csv (and the file in the cache)",
        )


def _silent(name: str, done: int, total: int | None) -> None:
    """Tell nobody."""
