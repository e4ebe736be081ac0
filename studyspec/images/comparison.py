"""Comparing two collections: the statistics of their images, condition by condition."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

from studyspec.catalog.row import ImageRow
from studyspec.catalog.table import Catalog
from studyspec.catalog.twin_rows import CONDITION, FURTHER, told
from studyspec.errors import CatalogError
from studyspec.images.door import Door
from studyspec.images.patches import cut
from studyspec.images.pipeline import preprocess
from studyspec.images.variability import BANDS, SINGLE, describe
from studyspec.plugins.values import Value, WorkingImage
from studyspec.spec.sections import PatchSettings, PreprocessSettings
from studyspec.spec.uses import Pipeline

ALWAYS = tuple(name for name in CONDITION if name not in ("support", "session"))
"""What of a condition every row has; nobody else has the same sessions."""
MATCHED = (*ALWAYS, *FURTHER)
"""What of a condition two collections must agree in: of the further ones, unset is a value too."""
STATISTICS = (*SINGLE, *(f"power {low:g}-{high:g}" for low, high in pairwise(BANDS)))
"""What is compared; the last ones are shares of power, in cycles per pixel."""

Condition = tuple[Value, ...]
Values = tuple[float, ...]


@dataclass(frozen=True)
class Extent:
    """How much to compare: images of each condition, conditions that only one side has, patches."""

    images: int = 4
    everything: bool = False
    patch_px: int = 512


@dataclass(frozen=True)
class Compared:
    """A condition, and the mean statistics of the images of each collection under it.

    `images` counts those with a patch to measure; no values where there is none.
    """

    condition: Condition
    images: tuple[int, int]
    values: tuple[Values | None, Values | None]

    @property
    def ratios(self) -> tuple[float | None, ...]:
        """The second's values over the first's; None where one is missing or 0."""
        first, second = self.values
        if first is None or second is None:
            return (None,) * len(STATISTICS)
        pairs = zip(first, second, strict=True)
        return tuple(b / a if a and not math.isnan(a + b) else None for a, b in pairs)


def compare(
    catalog: Path,
    names: tuple[str, str],
    extent: Extent,
    door: Door,
    on_image: Callable[[int, int], None] = lambda done, total: None,
) -> list[Compared]:
    """Measure the images of two collections, several at a time.

    Parameters
    ----------
    catalog
        Catalog file with both collections.
    names
        The collections.
    extent
        How much to compare.
    door
        The way to their pixels.
    on_image
        Told how many images are done, and of how many.

    Raises
    ------
    CatalogError
        If there is no such collection, or they share no condition.
    FileError, TwinError
        If an image cannot be had.
    """
    groups = [_by_condition(Catalog.open(catalog), name, extent.images) for name in names]
    conditions = [c for c in dict.fromkeys([*groups[0], *groups[1]]) if _wanted(c, groups, extent)]
    if not conditions:
        raise CatalogError(
            f"'{names[0]}' and '{names[1]}' have no condition in common",
            where=str(catalog),
            hint=f"{', '.join(ALWAYS)} must agree, and shape, structure and what was set of the "
            "microscope; --all shows every condition",
        )
    pipeline = Pipeline.of(PreprocessSettings(patch=PatchSettings(size=extent.patch_px)))
    jobs = [
        (c, side, row) for c in conditions for side in (0, 1) for row in groups[side].get(c, ())
    ]
    found: dict[tuple[Condition, int], list[Values]] = {}
    measured = _measured([row for _, _, row in jobs], door, pipeline)
    for done, ((condition, side, _), values) in enumerate(zip(jobs, measured, strict=True), 1):
        if values is not None:
            found.setdefault((condition, side), []).append(values)
        on_image(done, len(jobs))
    return [_compared(condition, found) for condition in conditions]


def _by_condition(catalog: Catalog, collection: str, most: int) -> dict[Condition, list[ImageRow]]:
    """The first rows under each condition; doses to two digits, so that 421 meets 425."""
    groups: dict[Condition, list[ImageRow]] = {}
    for row in catalog.rows_of(collection):
        given = {name: getattr(row, name) for name in ALWAYS}
        if row.dose_e_per_A2 is not None:
            given["dose_e_per_A2"] = float(f"{row.dose_e_per_A2:.1e}")
        further = (told(row, name) for name in FURTHER)
        group = groups.setdefault((*given.values(), *further), [])
        if len(group) < most:
            group.append(row)
    return groups


def _wanted(
    condition: Condition, groups: Sequence[Mapping[Condition, object]], extent: Extent
) -> bool:
    return extent.everything or all(condition in group for group in groups)


def _measured(rows: Sequence[ImageRow], door: Door, pipeline: Pipeline) -> Iterator[Values | None]:
    jobs = [(row, door, pipeline) for row in rows]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        yield from pool.map(_statistics, jobs)


def _statistics(job: tuple[ImageRow, Door, Pipeline]) -> Values | None:
    row, door, pipeline = job
    found = door.read(row, "drawn")
    columns = {name: row.values().get(name) for name in pipeline.columns}
    image = WorkingImage(found.pixels, found.label, found.pixel_scale_nm, found.frame, columns)
    done = preprocess(image, pipeline)
    patches = cut(done.pixels, done.label, pipeline.patch)
    if not len(patches.images):
        return None
    told = describe(patches.images, patches.labels)
    return (*(getattr(told, name) for name in SINGLE), *told.power)


def _compared(
    condition: Condition, found: Mapping[tuple[Condition, int], Sequence[Values]]
) -> Compared:
    sides = [found.get((condition, side), []) for side in (0, 1)]
    means = [_means(values) if values else None for values in sides]
    return Compared(condition, (len(sides[0]), len(sides[1])), (means[0], means[1]))


def _means(values: Sequence[Values]) -> Values:
    """Mean of each statistic over the images that have it."""
    columns = ([v for v in column if not math.isnan(v)] for column in zip(*values, strict=True))
    return tuple(sum(column) / len(column) if column else math.nan for column in columns)
