"""The rows of the twin: simulated images with the metadata of the paper's datasets."""

from __future__ import annotations

import math
import tomllib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any

from studyspec.catalog.published import SUPPORTS
from studyspec.catalog.row import ImageRow

COLLECTION = "twin"
IMAGES_PER_DATASET = 12
DIAMETERS_ACROSS = 3
"""A field is this many particle diameters wide, where it can be."""
STEP_PX, LEAST_PX, MOST_PX = 256, 512, 1024


def twin_rows(published: Sequence[ImageRow]) -> Iterator[ImageRow]:
    """Twelve simulated images for each dataset of the paper, with that dataset's metadata."""
    text = files("studyspec.catalog").joinpath("datasets.toml").read_text()
    table = tomllib.loads(text)
    support, tolerance = SUPPORTS[table["defaults"]["support"]], table["defaults"]["dose_tol"]
    for dataset in table["dataset"]:
        wanted = {"dose_tol": tolerance, **dataset["filter"]}
        template = next(row for row in published if _meets(row, wanted, support))
        for number in range(IMAGES_PER_DATASET):
            yield _twin(template, f"twin/{dataset['id']}/{number:02d}")


def _meets(row: ImageRow, wanted: Mapping[str, Any], support: str) -> bool:
    assert row.dose_e_per_A2 is not None
    return (
        row.support == support
        and row.material == wanted["material"]
        and row.diameter_nm == wanted["size_nm"]
        and row.pixel_scale_nm == wanted["pixel_size_nm"]
        and abs(row.dose_e_per_A2 - wanted["dose"]) < wanted["dose_tol"]
        and wanted.get("date") in (None, row.acquired_on)
    )


def _field_px(row: ImageRow) -> int:
    """Edge of a field that shows whole particles and is still rendered in seconds [px]."""
    assert row.diameter_nm is not None
    assert row.pixel_scale_nm is not None
    steps = math.ceil(DIAMETERS_ACROSS * row.diameter_nm / row.pixel_scale_nm / STEP_PX)
    return min(max(steps * STEP_PX, LEAST_PX), MOST_PX)


def _twin(template: ImageRow, image_id: str) -> ImageRow:
    seed = zlib.crc32(image_id.encode())
    size = _field_px(template)
    return replace(
        template,
        image_id=image_id,
        collection=COLLECTION,
        image_uri=f"twin:{seed}",
        label_uri=f"twin-drawn:{seed}",
        exact_label_uri=f"twin-exact:{seed}",
        width_px=size,
        height_px=size,
        licence="MIT",
        citation="simulated by studyspec",
    )
