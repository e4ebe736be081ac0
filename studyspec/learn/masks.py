"""Masks: what networks see in unlabelled image files. Knows files; no catalog, no store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from torch import nn

from studyspec.catalog.readers import read_image, write_mask
from studyspec.errors import FileError, LearnError
from studyspec.images.pipeline import preprocess
from studyspec.images.steps.resample import to_shape
from studyspec.learn.building import shrinkage
from studyspec.learn.networks import identify
from studyspec.learn.prediction import MULTIPLE_PX, TILE_PX, probability
from studyspec.learn.segmenters import load
from studyspec.plugins.values import Image, Mask, RawImage, WorkingImage
from studyspec.spec.foreign import ForeignNetwork
from studyspec.spec.sections import PreprocessSettings
from studyspec.spec.uses import Pipeline

SCALE = "pixel_scale_nm"


@dataclass(frozen=True)
class PredictedMask:
    """A mask on disk: the share of it that is particle, and how far the networks agree.

    `agreement` is the mean dice of each two networks' masks; None for one network.
    """

    path: Path
    particle: float
    agreement: float | None


def predict_files(
    networks: Sequence[Path],
    images: Sequence[Path],
    output: Path,
    device: str = "cpu",
    trust: bool = False,
) -> Iterator[PredictedMask]:
    """Write a mask for each image: where the networks' mean probability of particle is above 1/2.

    Images are prepared as those that each network was trained on. A mask is named after its image.

    Raises
    ------
    LearnError, FileError, PluginError
        Naming the file; masks written before stay.
    """
    masks = _masks(images, output)
    loaded = [_Loaded.of(network, trust) for network in networks]
    for image, path in masks.items():
        try:
            raw = read_image(image)
            found = [one.probability(raw, device) for one in loaded]
        except FileError as error:
            if error.where:
                raise
            raise FileError(error.what, where=str(image), hint=error.hint) from None
        particle = np.mean(found, axis=0) > 0.5
        write_mask(particle, path)
        yield PredictedMask(path, float(particle.mean()), _agreement([p > 0.5 for p in found]))


@dataclass(frozen=True)
class _Loaded:
    """A network, how it wants its images, and its tiles [px]: their edge, and what it divides."""

    network: nn.Module
    pipeline: Pipeline
    tile_px: int
    multiple_px: int

    @classmethod
    def of(cls, path: Path, trust: bool) -> _Loaded:
        wanted = ForeignNetwork(weights=str(path.absolute()))
        file = identify(path.stem, wanted, Path("/"), trust)
        pipeline = file.pipeline or Pipeline.of(PreprocessSettings())
        tile = TILE_PX if file.pipeline is None else pipeline.patch.size
        needed = [name for name in pipeline.columns if name != SCALE]
        if needed:
            raise LearnError(
                f"its images are prepared by their {needed[0]}, which no image file tells",
                where=str(path),
                hint="test it in a study instead, whose catalog tells it",
            )
        multiple = MULTIPLE_PX if file.model is None else shrinkage(file.model)
        return cls(load(file), pipeline, tile, multiple)

    def probability(self, raw: RawImage, device: str) -> Image:
        """The particle probability of each pixel of an image."""
        scale = raw.pixel_scale_nm
        image = WorkingImage(raw.pixels.copy(), pixel_scale_nm=scale, columns={SCALE: scale})
        pixels = preprocess(image, self.pipeline).pixels
        found = probability(self.network, pixels, self.tile_px, device, self.multiple_px)
        return found if found.shape == raw.pixels.shape else to_shape(found, raw.pixels.shape)


def _agreement(masks: Sequence[Mask]) -> float | None:
    """The mean dice of each two masks."""
    pairs = [(int((a & b).sum()), int(a.sum() + b.sum())) for a, b in combinations(masks, 2)]
    return float(np.mean([(2 * tp + 1) / (total + 1) for tp, total in pairs])) if pairs else None


def _masks(images: Sequence[Path], output: Path) -> dict[Path, Path]:
    """Where each image's mask goes; refuses two images of one name."""
    masks: dict[Path, Path] = {}
    for image in images:
        mask = output / f"{image.stem}_mask.png"
        if mask in masks.values():
            raise LearnError(
                f"two images would share the mask {mask.name}",
                where=str(image),
                hint="predict them into two folders",
            )
        masks[image] = mask
    return masks
