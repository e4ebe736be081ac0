"""The one door from a catalog row to pixels, label and hash, whether of a file or of the twin."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from studyspec.catalog.addresses import is_twin, resolve
from studyspec.catalog.hashes import FileHashes
from studyspec.catalog.pins import Pins
from studyspec.catalog.readers import read_image, read_label
from studyspec.catalog.row import ImageRow
from studyspec.errors import FileError
from studyspec.twin.conditions import Conditions
from studyspec.twin.micrograph import Micrograph, Surroundings

LabelKind = Literal["drawn", "exact"]
SCALE_TOLERANCE = 0.05


class Unfetched(FileError):  # noqa: N818
    """A file that is not here yet and bears no pin."""


@dataclass(frozen=True)
class Identity:
    """The hashes of an image and of its label (None: no label)."""

    image_sha256: str
    label_sha256: str | None


@dataclass(frozen=True)
class Labelled:
    """An image with its label.

    Attributes
    ----------
    pixels
        Counts, shape (H, W), float32.
    label
        True is particle, shape (H, W); None if there is no label.
    pixel_scale_nm
        Edge of a pixel [nm]: the catalog's, else the header's, else None.
    notes
        What a user should know, such as a header that contradicts the catalog.
    surroundings
        The wide field that a twin image is a part of.
    """

    pixels: npt.NDArray[np.float32]
    label: npt.NDArray[np.bool_] | None
    pixel_scale_nm: float | None
    notes: tuple[str, ...] = ()
    surroundings: Surroundings | None = None


class Source:
    """Images and labels of one catalog.

    Parameters
    ----------
    catalog
        The catalog file; its folder is where relative paths start and where pins.csv is.
    cache
        Folder of fetched files and of remembered hashes.
    base_address
        Address below which the published images lie; None: the authors' own.
    twin_cache
        Folder of rendered twin images; None: render anew every time.
    """

    def __init__(
        self,
        catalog: Path,
        cache: Path,
        base_address: str | None = None,
        twin_cache: Path | None = None,
    ) -> None:
        self._catalog, self._cache = catalog, cache
        self._base_address, self._twin_cache = base_address, twin_cache
        self._hashes = FileHashes(cache / "hashes")
        self._pins = Pins.beside(catalog)

    def identity(self, row: ImageRow, label: LabelKind) -> Identity:
        """The hashes of a row's image and label; renders and downloads nothing.

        Raises
        ------
        Unfetched
            If a remote file is neither here nor pinned.
        FileError
            If a local file is missing, or the row has no such label.
        TwinError
            If the row cannot be simulated.
        """
        label_uri = _label_uri(row, label)
        if is_twin(row.image_uri):
            conditions = Conditions.from_row(row)
            return Identity(conditions.image_hash(), conditions.label_hash(label))
        return Identity(self._hash(row.image_uri), self._hash(label_uri) if label_uri else None)

    def read(self, row: ImageRow, label: LabelKind) -> Labelled:
        """The pixels and label of a row.

        Raises
        ------
        Unfetched, FileError, TwinError
            As `identity`, and if a file is no image, or the label is not of the image's shape.
        """
        if is_twin(row.image_uri):
            found = self._simulated(Conditions.from_row(row))
            chosen = found.exact if label == "exact" else found.drawn
            return Labelled(found.pixels, chosen, row.pixel_scale_nm, (), found.surroundings)
        image = read_image(self._path(row.image_uri))
        label_uri = _label_uri(row, label)
        mask = read_label(self._path(label_uri)) if label_uri else None
        if mask is not None and mask.shape != image.pixels.shape:
            raise FileError(
                f"the label is {mask.shape} but the image {image.pixels.shape} [px]",
                where=row.image_id,
                hint="name the right label in the catalog",
            )
        scale = row.pixel_scale_nm or image.pixel_scale_nm
        return Labelled(image.pixels, mask, scale, _scale_notes(row, image.pixel_scale_nm))

    def _path(self, uri: str) -> Path:
        address = resolve(uri, self._catalog, self._cache, self._base_address)
        if address.url is not None and not address.path.exists():
            raise Unfetched(f"not fetched yet: {address.url}", hint="studyspec catalog fetch")
        return address.path

    def _hash(self, uri: str) -> str:
        address = resolve(uri, self._catalog, self._cache, self._base_address)
        if address.url is not None and not address.path.exists():
            pin = self._pins.get(uri)
            if pin is None:
                raise Unfetched(f"not fetched yet: {address.url}", hint="studyspec catalog fetch")
            return pin.sha256
        return self._hashes.sha256(address.path)

    def _simulated(self, conditions: Conditions) -> Micrograph:
        """A twin image with its labels and surroundings, from the cache if it is there."""
        if self._twin_cache is None:
            return _simulate(conditions)
        path = self._twin_cache / f"{conditions.image_hash()}.npz"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            half = path.with_name(f".{uuid.uuid4().hex}.npz")
            _simulate(conditions).save(half)
            half.replace(path)
        return Micrograph.load(path)


def _simulate(conditions: Conditions) -> Micrograph:
    from studyspec.twin.simulation import simulate

    return simulate(conditions)


def _label_uri(row: ImageRow, label: LabelKind) -> str | None:
    if label == "drawn":
        return row.label_uri
    if row.exact_label_uri is None:
        raise FileError(
            "the image has no exact label", where=row.image_id, hint="set label = 'drawn'"
        )
    return row.exact_label_uri


def _scale_notes(row: ImageRow, header_nm: float | None) -> tuple[str, ...]:
    """A note if the header's pixel scale is more than 5 % from the catalog's."""
    catalog_nm = row.pixel_scale_nm
    if header_nm is None or catalog_nm is None:
        return ()
    if abs(header_nm - catalog_nm) <= SCALE_TOLERANCE * catalog_nm:
        return ()
    says = f"the header says {header_nm:.4g} nm per pixel, the catalog {catalog_nm:.4g}"
    return (f"{row.image_id}: {says}",)
