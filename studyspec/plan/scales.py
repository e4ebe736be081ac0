"""Scales: pairs whose images have pixels of different size, and that nothing resamples. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from studyspec.learn.conditions import resampled_nm
from studyspec.learn.networks import NetworkFile
from studyspec.plan.datasets import ResolvedDataset, image_set
from studyspec.spec.uses import Pipeline
from studyspec.spec.variants import Variant

TOLERANCE = 1.1
"""Scales that differ by a smaller factor are told of nowhere."""


def differing_scales(
    variants: Sequence[Variant],
    datasets: Mapping[str, ResolvedDataset],
    networks: Mapping[str, NetworkFile],
) -> Iterator[str]:
    """A warning for each pair that is tested at a scale which its networks never saw.

    Said once, whatever variants it has. Images of unknown scale, and networks that do not say at
    which scale they were trained, are passed over.
    """
    said: set[tuple[str, str]] = set()
    for variant in variants:
        pipeline = Pipeline.of(variant.settings.preprocess)
        for train, test in variant.pairs:
            file = networks.get(train)
            own = pipeline if file is None else file.prepared_as(pipeline)
            if resampled_nm(own) is not None or (train, test) in said:
                continue
            seen = _scales(train, datasets) if file is None else file.conditions.pixel_scale_nm
            shown = _scales(test, datasets)
            if (factor := farthest(seen, shown)) > TOLERANCE:
                said.add((train, test))
                yield (
                    f"'{train}' was trained at {_words(seen)} a pixel, and '{test}' has images at "
                    f"{_words(shown)}, another scale by a factor of {factor:.2g}, which nothing "
                    "resamples; set preprocess.resample.pixel_scale_nm"
                )


def farthest(seen: Iterable[float], shown: Iterable[float]) -> float:
    """The factor between the scale shown that is farthest from all seen, and the nearest of these.

    1 if either is not known.
    """
    known = list(seen)
    factors = [
        min(math.exp(abs(math.log(scale / one))) for one in known) for scale in shown if known
    ]
    return max(factors, default=1.0)


def _scales(name: str, datasets: Mapping[str, ResolvedDataset]) -> tuple[float, ...]:
    rows = (image.row for image in image_set(name, datasets).images)
    return tuple(sorted({row.pixel_scale_nm for row in rows if row.pixel_scale_nm is not None}))


def _words(scales: Sequence[float]) -> str:
    low, high = f"{scales[0]:.4g}", f"{scales[-1]:.4g}"
    return f"{low} nm" if low == high else f"{low} to {high} nm"
