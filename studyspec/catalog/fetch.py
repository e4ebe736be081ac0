"""Fetching: remote files into the shared cache, resumed, in parallel, pinned at first sight."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from studyspec.catalog.addresses import Address, resolve
from studyspec.catalog.hashes import file_sha256
from studyspec.catalog.pins import Pin, Pins
from studyspec.errors import FetchError
from studyspec.files import sync
from studyspec.plugins.contracts import Whereabouts

TRIES = 3
PAUSE_S = 0.5
TIMEOUT = httpx.Timeout(30.0)
RESUME = "run the same command again: it goes on where it stopped"
Listener = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class FetchReport:
    """What came of a fetch: addresses fetched, and why others were not."""

    fetched: tuple[str, ...]
    failures: Mapping[str, FetchError]

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
        addresses = {uri: resolve(uri, self._at) for uri in dict.fromkeys(uris)}
        fetched: dict[str, Pin] = {}
        failures: dict[str, FetchError] = {}
        with (
            httpx.Client(timeout=TIMEOUT, follow_redirects=True) as client,
            ThreadPoolExecutor(workers) as pool,
        ):
            running = {
                uri: pool.submit(self._fetch_one, client, uri, address, progress or _silent)
                for uri, address in addresses.items()
                if address is not None and address.url is not None
            }
            for uri, future in running.items():
                try:
                    fetched[uri] = future.result()
                except FetchError as error:
                    failures[uri] = error
        if fetched:
            self._pins.add(fetched.values())
        return FetchReport(tuple(fetched), failures)

    def _fetch_one(
        self, client: httpx.Client, uri: str, address: Address, progress: Listener
    ) -> Pin:
        assert address.url is not None
        pin = self._pins.get(uri)
        if address.path.exists():
            found = Pin(uri, file_sha256(address.path), address.path.stat().st_size)
            _compare(found, pin, address)
            return found
        address.path.parent.mkdir(parents=True, exist_ok=True)
        part = address.path.with_name(f"{address.path.name}.part")
        for attempt in range(1, TRIES + 1):
            try:
                _download(client, address.url, part, lambda *n: progress(address.path.name, *n))
                break
            except (httpx.TransportError, _Shortened) as error:
                if attempt == TRIES:
                    raise FetchError(
                        f"{_reason(error)}, {TRIES} times", where=address.url, hint=RESUME
                    ) from None
                time.sleep(PAUSE_S * attempt)
        found = Pin(uri, file_sha256(part), part.stat().st_size)
        try:
            _compare(found, pin, address)
        except FetchError:
            part.unlink()
            raise
        sync(part)
        part.replace(address.path)
        sync(address.path.parent)
        return found


class _Shortened(Exception):  # noqa: N818
    """The server sent fewer bytes than it promised."""


def _download(
    client: httpx.Client, url: str, part: Path, progress: Callable[[int, int | None], None]
) -> None:
    """Download into a part file, from where it ends if the server can.

    Raises
    ------
    FetchError
        For an answer that trying again would not change.
    """
    have = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    with client.stream("GET", url, headers=headers) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink()
            raise _Shortened("the part that was here is not of this file")
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise _Shortened(f"the server answered {answer.status_code}")
        if answer.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
            raise FetchError(
                f"the server answered {answer.status_code} {answer.reason_phrase}",
                where=url,
                hint="is the address right? a mirror is set by --base-address",
            )
        resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT
        done = have if resumed else 0
        length = answer.headers.get("Content-Length")
        total = None if length is None else done + int(length)
        with part.open("ab" if resumed else "wb") as file:
            for chunk in answer.iter_bytes():
                file.write(chunk)
                done += len(chunk)
                progress(done, total)
    if total is not None and done < total:
        raise _Shortened(f"{done} of {total} bytes came")


def _compare(found: Pin, pin: Pin | None, address: Address) -> None:
    if pin is not None and pin.sha256 != found.sha256:
        raise FetchError(
            f"the file changed: its SHA-256 is {found.sha256[:12]}..., pinned is "
            f"{pin.sha256[:12]}...",
            where=str(address.url),
            hint="if the change is right, delete its line in pins.csv (and the file in the cache)",
        )


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _silent(name: str, done: int, total: int | None) -> None:
    """Tell nobody."""
