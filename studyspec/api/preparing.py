"""How images of a test are prepared for each network: scale, steps, and how they are cut."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from studyspec.catalog.addresses import LOCAL, scheme_of
from studyspec.catalog.row import ImageRow
from studyspec.images.steps.flat_field import FLAT_FIELD
from studyspec.learn.conditions import resampled_nm
from studyspec.learn.networks import NetworkFile
from studyspec.learn.prediction import MULTIPLE_PX, TILE_PX
from studyspec.spec.uses import Pipeline

COVERED = 0.9
"""Patches that hold so much of the images are large enough."""
GAIN = 0.02
Size = tuple[float, float]


@dataclass(frozen=True)
class Preparation:
    """How the images of a test are prepared for one network.

    Attributes
    ----------
    tables
        What that changes of the network's own preparation, or of the default one.
    scales_nm
        Edge of a pixel of each image as the network sees it [nm], where it is known.
    notes
        What a person should know of it.
    """

    tables: Mapping[str, JsonValue]
    scales_nm: Mapping[str, float]
    notes: tuple[str, ...]


def preparation(network: NetworkFile, rows: Sequence[ImageRow]) -> Preparation:
    """Resample to the network's scale, and cut so that as little as possible is lost.

    Raises
    ------
    ScaleUnknown
        If the network's scale is known, and that of an image is not.
    """
    target = _target(network, rows)
    edge, covered = _patch_edge(network, list(_sizes(rows, target)))
    tables: dict[str, JsonValue] = {"patch": {"size": edge}}
    if target is not None:
        tables["resample"] = {"pixel_scale_nm": target}
    parts = _parts(network, rows)
    if parts:
        tables[FLAT_FIELD.name] = {"enabled": False}
    scales = {row.image_id: target or row.pixel_scale_nm for row in rows}
    told = {name: scale for name, scale in scales.items() if scale is not None}
    return Preparation(tables, told, tuple(_notes(network, target, parts, edge, covered)))


def _target(network: NetworkFile, rows: Sequence[ImageRow]) -> float | None:
    """The scale that all images are brought to [nm]; None: they stay as they are."""
    lost = [row.image_id for row in rows if row.pixel_scale_nm is None]
    if lost:
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        network.prepared_at((1, 1), None, f"{lost[0]}{more}")  # raises if it must be known
        return None
    own = None if network.pipeline is None else resampled_nm(network.pipeline)
    logs = [math.log(row.pixel_scale_nm) for row in rows if row.pixel_scale_nm]
    return own or network.conditions.scale_near(math.exp(sum(logs) / len(logs)))


def _sizes(rows: Sequence[ImageRow], target: float | None) -> Iterator[Size]:
    """Height and width of the images as the network sees them [px], where they are known."""
    for row in rows:
        if row.height_px and row.width_px:
            zoom = row.pixel_scale_nm / target if target and row.pixel_scale_nm else 1.0
            yield round(row.height_px * zoom), round(row.width_px * zoom)


def _parts(network: NetworkFile, rows: Sequence[ImageRow]) -> bool:
    """Whether each image is a part of a larger one that nobody knows."""

    def part(row: ImageRow) -> bool:
        shape = row.height_px or math.inf, row.width_px or math.inf
        done = network.prepared_at(shape, row.pixel_scale_nm)
        return scheme_of(row.image_uri) in LOCAL and not _flattens(done)

    own = network.pipeline
    return (own is None or _flattens(own)) and all(map(part, rows))


def _flattens(pipeline: Pipeline) -> bool:
    return any(use.name == FLAT_FIELD.name for use in pipeline.steps)


def _patch_edge(network: NetworkFile, sizes: Sequence[Size]) -> tuple[int, float]:
    """The edge of patches [px], as near below the network's as loses little; what they hold."""
    natural = TILE_PX if network.pipeline is None else network.pipeline.patch.size
    if not sizes:
        return natural, 1.0
    whole = sum(h * w for h, w in sizes)
    smallest = min(min(size) for size in sizes)
    best, held = MULTIPLE_PX, 0.0
    for edge in range(natural, MULTIPLE_PX, -MULTIPLE_PX):
        if edge > smallest:
            continue
        share = sum((h // edge) * (w // edge) for h, w in sizes) * edge**2 / whole
        if share > held + GAIN:
            best, held = edge, share
        if held >= COVERED:
            break
    return best, held


def _notes(
    network: NetworkFile, target: float | None, parts: bool, edge: int, covered: float
) -> Iterator[str]:
    if target is None:
        yield f"{network.name} does not say at which scale it was trained: images as they are"
    if parts:
        yield "no flat field is removed: the images are so small that they are parts of larger ones"
    if covered < COVERED:
        yield (
            f"{network.name}: patches of {edge} px hold {covered:.0%} of the pixels; the rest, at "
            "the right and lower edges, is not scored"
        )
