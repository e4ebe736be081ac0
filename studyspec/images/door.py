"""The one door from a catalog row to pixels, label and hash, whatever source they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np

from studyspec.catalog.addresses import scheme_of
from studyspec.catalog.row import ImageRow
from studyspec.errors import FileError
from studyspec.plugins.contracts import Source, Whereabouts
from studyspec.plugins.guard import blamed, broken_promise
from studyspec.plugins.owners import owner
from studyspec.plugins.registry import SOURCES, Found
from studyspec.plugins.values import Frame, Image, Mask, RawImage

LabelKind = Literal["drawn", "exact"]
SCALE_TOLERANCE = 0.05
POSITIVE = ("pixel_scale_nm", "dose_e_per_A2", "dose_rate_e_per_A2_s")
SHA256 = re.compile("[0-9a-f]{64}")


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
    frame
        The larger image that it was cut from; None if it is whole.
    """

    pixels: Image
    label: Mask | None
    pixel_scale_nm: float | None
    notes: tuple[str, ...] = ()
    frame: Frame | None = None


@dataclass(frozen=True)
class Door:
    """Images and labels of one catalog; `at` says where its addresses start."""

    at: Whereabouts

    def identity(self, row: ImageRow, label: LabelKind) -> Identity:
        """The hashes of a row's image and label; renders and downloads nothing.

        Raises
        ------
        Unfetched
            If a remote file is neither here nor pinned.
        FileError
            If a local file is missing, the row has no such label, or no source knows an address.
        TwinError
            If the row cannot be simulated.
        PluginError
            If a source does not do what it promises.
        """
        _check_quantities(row)
        label_uri = _label_uri(row, label)
        image = self._digest(row.image_uri, row)
        return Identity(image, self._digest(label_uri, row) if label_uri else None)

    def read(self, row: ImageRow, label: LabelKind) -> Labelled:
        """The pixels and label of a row.

        Raises
        ------
        Unfetched, FileError, TwinError, PluginError
            As `identity`, and if a file is no image, or the label is not of the image's shape.
        """
        _check_quantities(row)
        image = self._image(row)
        label_uri = _label_uri(row, label)
        mask = self._label(label_uri, row) if label_uri else None
        if mask is not None and mask.shape != image.pixels.shape:
            raise FileError(
                f"the label is {mask.shape} but the image {image.pixels.shape} [px]",
                where=row.image_id,
                hint="name the right label in the catalog",
            )
        scale = row.pixel_scale_nm or image.pixel_scale_nm
        notes = _scale_notes(row, image.pixel_scale_nm)
        return Labelled(image.pixels, mask, scale, notes, image.frame)

    def _digest(self, uri: str, row: ImageRow) -> str:
        with _asked(uri, row) as found:
            digest = found.plugin.digest(uri, row, self.at)
        if not (isinstance(digest, str) and SHA256.fullmatch(digest)):
            raise broken_promise("source", found, f"of '{uri}' it gave the digest {digest!r}")
        return digest

    def _image(self, row: ImageRow) -> RawImage:
        with _asked(row.image_uri, row) as found:
            image = found.plugin.image(row.image_uri, row, self.at)
        if not (isinstance(image, RawImage) and _is_plane(image.pixels, np.float32)):
            raise broken_promise("source", found, f"of '{row.image_uri}' it gave no image (H, W)")
        return image

    def _label(self, uri: str, row: ImageRow) -> Mask:
        with _asked(uri, row) as found:
            mask = found.plugin.label(uri, row, self.at)
        if not _is_plane(mask, np.bool_):
            raise broken_promise("source", found, f"of '{uri}' it gave no label (H, W)")
        return mask


@contextmanager
def _asked(uri: str, row: ImageRow) -> Iterator[Found[Source]]:
    """The source of an address, which is blamed for what it raises."""
    found = _source(uri, row)
    with blamed("source", found):
        yield found


def _source(uri: str, row: ImageRow) -> Found[Source]:
    scheme = scheme_of(uri)
    found = owner(SOURCES, lambda source: source.schemes, scheme)
    if found is None:
        known = [s for source in SOURCES for s in source.schemes if s]
        left_out = [broken.text for broken in SOURCES.broken]
        raise FileError(
            f"'{uri}': no source of images knows the scheme '{scheme}'",
            where=row.image_id,
            hint="; ".join([f"known: {', '.join(known)}, or a plain path", *left_out]),
        )
    return found


def _check_quantities(row: ImageRow) -> None:
    for name in POSITIVE:
        value = getattr(row, name)
        if value is not None and not 0 < value < np.inf:
            raise FileError(
                f"{name} is {value}", where=row.image_id, hint="expected a number above 0, or none"
            )


def _is_plane(array: object, dtype: type[np.generic]) -> bool:
    return isinstance(array, np.ndarray) and array.ndim == 2 and array.dtype == dtype


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
