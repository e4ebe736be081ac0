"""Files of a server: read from the cache once they are fetched, and known by their pins before."""

from __future__ import annotations

from pathlib import Path

from studyspec.catalog.addresses import REMOTE, Address, resolve
from studyspec.catalog.hashes import FileHashes
from studyspec.catalog.pins import Pin, Pins
from studyspec.catalog.readers import read_image, read_label
from studyspec.catalog.row import ImageRow
from studyspec.errors import FileError, Unfetched
from studyspec.plugins.contracts import Source, Whereabouts
from studyspec.plugins.values import Mask, RawImage


class Remote(Source):
    """Images behind http(s) addresses, the published ones among them; downloads nothing itself."""

    name = "remote"
    schemes = REMOTE

    def digest(self, uri: str, row: ImageRow, at: Whereabouts) -> str:
        """The hash of the file, which is that of its pin; before it is here, its pin's alone."""
        address = _address(uri, at)
        pin = Pins.beside(at.catalog).get(uri)
        if not address.absent:
            return _pinned(address, pin, at)
        if pin is None:
            raise _unfetched(address)
        return pin.sha256

    def image(self, uri: str, row: ImageRow, at: Whereabouts) -> RawImage:
        """The fetched file, read by the plug-in for its format."""
        return read_image(_fetched(uri, at))

    def label(self, uri: str, row: ImageRow, at: Whereabouts) -> Mask:
        """The fetched file; non-zero is particle."""
        return read_label(_fetched(uri, at))


REMOTE_FILES = Remote()


def _address(uri: str, at: Whereabouts) -> Address:
    address = resolve(uri, at)
    assert address is not None
    return address


def _fetched(uri: str, at: Whereabouts) -> Path:
    address = _address(uri, at)
    if address.absent:
        raise _unfetched(address)
    _pinned(address, Pins.beside(at.catalog).get(uri), at)
    return address.path


def _pinned(address: Address, pin: Pin | None, at: Whereabouts) -> str:
    """The hash of a file that is here, remembered while its size and time stay.

    Raises
    ------
    FileError
        If it is not that of the pin.
    """
    found = FileHashes.of_cache(at.cache).sha256(address.path)
    if pin is not None and found != pin.sha256:
        raise FileError(
            "the file differs from its pin",
            where=str(address.path),
            hint="delete it and run studyspec catalog fetch",
        )
    return found


def _unfetched(address: Address) -> Unfetched:
    return Unfetched(f"not fetched yet: {address.url}", hint="studyspec catalog fetch")
