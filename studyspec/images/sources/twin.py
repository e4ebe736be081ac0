"""The twin: images that are simulated from the physical columns of their row and a seed."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zipfile import BadZipFile

from studyspec.catalog.addresses import scheme_of
from studyspec.catalog.row import ImageRow
from studyspec.catalog.twin_rows import DRAWN, EXACT, IMAGE
from studyspec.errors import TwinError
from studyspec.files import whole
from studyspec.plugins.contracts import Source, Whereabouts
from studyspec.plugins.values import Mask, RawImage
from studyspec.seals import Broken, seal, unsealed
from studyspec.twin.conditions import Conditions

if TYPE_CHECKING:
    from studyspec.twin.micrograph import Micrograph

log = logging.getLogger(__name__)


class Twin(Source):
    """Simulated images "twin:SEED", and their labels "twin-drawn:SEED" and "twin-exact:SEED"."""

    name = "twin"
    schemes = (IMAGE, DRAWN, EXACT)

    def digest(self, uri: str, row: ImageRow, at: Whereabouts) -> str:
        """The hash of the recipe, not of the bytes: nothing is rendered."""
        conditions = Conditions.from_row(row, uri)
        if scheme_of(uri) == IMAGE:
            return conditions.image_hash()
        return conditions.label_hash(_kind(uri))

    def image(self, uri: str, row: ImageRow, at: Whereabouts) -> RawImage:
        """The counts, with the wide field as their frame."""
        _check(uri, row, IMAGE)
        conditions = Conditions.from_row(row, uri)
        found = _micrograph(conditions, at.renders)
        return RawImage(found.pixels.copy(), conditions.pixel_scale_nm, found.frame)

    def label(self, uri: str, row: ImageRow, at: Whereabouts) -> Mask:
        """The label that the scheme names."""
        _check(uri, row, DRAWN, EXACT)
        found = _micrograph(Conditions.from_row(row, uri), at.renders)
        return (found.exact if _kind(uri) == "exact" else found.drawn).copy()


TWIN = Twin()


def _check(uri: str, row: ImageRow, *schemes: str) -> None:
    if scheme_of(uri) not in schemes:
        what = "label" if EXACT in schemes else "image"
        hint = f"expected {' or '.join(schemes)}:SEED"
        raise TwinError(f"'{uri}' names no {what} of the twin", where=row.image_id, hint=hint)


def _kind(uri: str) -> Literal["drawn", "exact"]:
    return "exact" if scheme_of(uri) == EXACT else "drawn"


@lru_cache(maxsize=1)  # an image and its label are asked for one after the other
def _micrograph(conditions: Conditions, renders: Path | None) -> Micrograph:
    """A simulated image with its labels, from the folder of renders if it is there."""
    from studyspec.twin.micrograph import Micrograph
    from studyspec.twin.simulation import simulate

    if renders is None:
        return simulate(conditions)
    path = renders / f"{conditions.image_hash()}.npz"
    try:
        return Micrograph.read(unsealed(path))
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, BadZipFile, Broken) as error:
        log.warning("%s: damaged render: %s; it is made again", path, error)
    with whole(path, durable=False) as half:
        simulate(conditions).save(half)
        seal(half)
    return Micrograph.read(unsealed(path))
