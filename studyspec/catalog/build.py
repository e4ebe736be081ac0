"""Building the catalog that the project carries: `studyspec catalog build` writes these bytes."""

from __future__ import annotations

from pathlib import Path

from studyspec.catalog.published import published_rows
from studyspec.catalog.table import write_catalog
from studyspec.catalog.twin_rows import twin_rows


def build(path: Path) -> int:
    """Write the catalog of the published images and of their twin; return the number of rows."""
    published = list(published_rows())
    rows = [*published, *twin_rows(published)]
    write_catalog(rows, path)
    return len(rows)
