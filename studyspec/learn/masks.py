"""Masks: what networks see in unlabelled image files. Knows files; no catalog, no store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from studyspec.catalog.readers import read_image, write_mask
from studyspec.errors import FileError, LearnError
from studyspec.learn.applied import Applied
from studyspec.learn.networks import NetworkFile
from studyspec.plugins.values import Mask


@dataclass(frozen=True)
class PredictedMask:
    """A mask on disk: the share of it that is particle, and how far the networks agree.

    `agreement` is the mean dice of each two networks' masks; None for one network.
    """

    path: Path
    particle: float
    agreement: float | None


def predict_files(
    networks: Sequence[NetworkFile | Path],
    images: Sequence[Path],
    output: Path,
    device: str = "cpu",
    pixel_scale_nm: float | None = None,
) -> Iterator[PredictedMask]:
    """Write a mask for each image: where the networks' mean probability of particle is above 1/2.

    Images are prepared as those that each network was trained on, and resampled to their scale; the
    scale of an image is `pixel_scale_nm`, or else its header's. A mask is named after its image.

    Raises
    ------
    LearnError, FileError, PluginError
        Naming the file; masks written before stay.
    """
    masks = _masks(images, output)
    loaded = [Applied.of(network) for network in networks]
    for image, path in masks.items():
        try:
            raw = read_image(image)
            found = [one.probability(raw, device, pixel_scale_nm, str(image)) for one in loaded]
        except FileError as error:
            if error.where:
                raise
            raise FileError(error.what, where=str(image), hint=error.hint) from None
        particle = np.mean(found, axis=0) > 0.5
        write_mask(particle, path)
        yield PredictedMask(path, float(particle.mean()), _agreement([p > 0.5 for p in found]))


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
