"""Fitting: patches that are larger than the images that they are cut from. Pure.

What the catalog does not say of an image's size, or a step not of what it makes of it, is left to
the preparation of the image.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from studyspec.errors import Mistake
from studyspec.plan.datasets import PlannedImage, ResolvedDataset
from studyspec.spec.names import BASE, set_members, stem, union_members
from studyspec.spec.places import Path
from studyspec.spec.uses import Pipeline
from studyspec.spec.variants import Variant

TRAINED = "preprocess.patch.size"
TESTED = "evaluation.patch_size"


def unfitting(
    variants: Sequence[Variant], datasets: Mapping[str, ResolvedDataset], measured: bool = False
) -> Iterator[Mistake]:
    """Every setting of a patch's edge, with a dataset that has images smaller than it."""
    for variant in variants:
        pipeline = Pipeline.of(variant.settings.preprocess)
        rows, columns = _named(variant, datasets)
        trained = dict.fromkeys((*rows, *(datasets if measured else ())))
        edge = variant.settings.evaluation.patch_size
        if edge is None:
            trained |= dict.fromkeys(columns)
        else:
            yield from _too_large(variant, TESTED, pipeline.cut_to(edge), columns, datasets)
        yield from _too_large(variant, TRAINED, pipeline, tuple(trained), datasets)


def _named(
    variant: Variant, datasets: Mapping[str, ResolvedDataset]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The datasets that a variant trains on, and those that it tests such networks on.

    A foreign network may prepare its images otherwise.
    """
    own = [pair for pair in variant.pairs if all(n in datasets for n in union_members(pair[0]))]
    rows, columns = (
        tuple(dict.fromkeys(name for pair in own for name, _ in set_members(pair[i])))
        for i in (0, 1)
    )
    return rows, columns


def _too_large(
    variant: Variant,
    setting: str,
    pipeline: Pipeline,
    names: Sequence[str],
    datasets: Mapping[str, ResolvedDataset],
) -> Iterator[Mistake]:
    edge = pipeline.patch.size
    for name in names:
        for image in datasets[name].images:
            shape = _shape(image, pipeline)
            if shape is not None and min(shape) < edge:
                what = (
                    f"a patch of {edge} x {edge} px is larger than images of '{name}': "
                    f"{image.row.image_id} has {shape[1]} x {shape[0]}"
                )
                yield Mistake(place_of(variant, setting), what, f"lower {setting}")
                break


def _shape(image: PlannedImage, pipeline: Pipeline) -> tuple[int, int] | None:
    """Height and width of an image as it is cut; None if they are not known yet."""
    if image.row.height_px is None or image.row.width_px is None:
        return None
    shape: tuple[int, int] | None = (image.row.height_px, image.row.width_px)
    for step in pipeline.bound:
        if shape is not None:
            shape = step.plugin.shape(shape, image.row.pixel_scale_nm, step.settings)
    return shape


def place_of(variant: Variant, setting: str) -> Path:
    """Where the file says it: in the variant or its sweep, else in the study."""
    own: Path = () if stem(variant.name) == BASE else ("variants", stem(variant.name))
    if f"{setting}=" in variant.name:
        return (*own, "sweep", setting)
    return (*(own if setting in variant.changes else ()), *setting.split("."))
