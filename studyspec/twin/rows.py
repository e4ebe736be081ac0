"""New rows of the twin: simulated images of conditions that nobody need have measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studyspec.catalog.row import ImageRow
from studyspec.catalog.table import changing, write_catalog
from studyspec.catalog.twin_rows import NOT_DRAWN, Drawn, images_like
from studyspec.twin.conditions import Conditions


def add_rows(
    templates: Sequence[ImageRow], n: int, catalog: Path, drawn: Sequence[Drawn] = ()
) -> list[ImageRow]:
    """Add rows of simulated images to a catalog, made if it is not there; return them.

    Parameters
    ----------
    templates
        Their conditions; without a size, three particles fit across an image.
    n
        How many of each.
    catalog
        Catalog file.
    drawn
        For each template, the columns that differ from image to image.

    Raises
    ------
    TwinError
        If the twin cannot simulate these conditions; nothing is written then.
    CatalogError
        If the catalog cannot be read or written.
    """
    series = [*drawn, *[NOT_DRAWN] * (len(templates) - len(drawn))]
    for template, columns in zip(templates, series, strict=True):
        for row in images_like(template, range(1), columns):
            Conditions.from_row(row)
    with changing(catalog) as known:
        new = _numbered(templates, series, n, {row.image_id for row in known})
        write_catalog([*known, *new], catalog)
    return new


def _numbered(
    templates: Sequence[ImageRow], series: Sequence[Drawn], n: int, taken: set[str]
) -> list[ImageRow]:
    """So many images of each condition, under names that are not taken."""
    new: list[ImageRow] = []
    for template, columns in zip(templates, series, strict=True):
        numbered = images_like(template, range(len(taken) + n), columns)
        free = (row for row in numbered if row.image_id not in taken)
        some = [row for row, _ in zip(free, range(n), strict=False)]
        for row in some if columns else ():
            Conditions.from_row(row)  # a number that was drawn may be none that can be
        taken.update(row.image_id for row in some)
        new += some
    return new
