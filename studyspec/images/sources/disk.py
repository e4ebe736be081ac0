"""Files on a disk: plain paths, which start in the catalog's folder, and file addresses."""

from __future__ import annotations

from pathlib import Path

from studyspec.catalog.addresses import LOCAL, resolve
from studyspec.catalog.hashes import FileHashes
from studyspec.catalog.readers import read_image, read_label
from studyspec.catalog.row import ImageRow
from studyspec.plugins.contracts import Source, Whereabouts
from studyspec.plugins.values import Mask, RawImage


class Disk(Source):
    """Images that lie where the address says, known by the hash of their bytes."""

    name = "disk"
    schemes = LOCAL

    def digest(self, uri: str, row: ImageRow, at: Whereabouts) -> str:
        """The hash of the file, remembered while its size and time stay."""
        return FileHashes.of_cache(at.cache).sha256(_path(uri, at))

    def image(self, uri: str, row: ImageRow, at: Whereabouts) -> RawImage:
        """The file, read by the plug-in for its format."""
        return read_image(_path(uri, at))

    def label(self, uri: str, row: ImageRow, at: Whereabouts) -> Mask:
        """The file; non-zero is particle."""
        return read_label(_path(uri, at))


DISK = Disk()


def _path(uri: str, at: Whereabouts) -> Path:
    address = resolve(uri, at)
    assert address is not None
    return address.path
