"""Prediction: masks of unlabelled image files by one network. Knows files; no catalog, no store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt

from studyspec.catalog.readers import read_image, write_mask
from studyspec.errors import FileError, RunError, StudySpecError
from studyspec.images.prepare import preprocess
from studyspec.images.resample import to_shape
from studyspec.learn.given import identify, load_given
from studyspec.learn.network import AnyNetwork
from studyspec.learn.prediction import TILE_PX, Image, probability
from studyspec.learn.weights import describe
from studyspec.spec.given import NetworkOfOthers
from studyspec.spec.settings import PreprocessSettings


@dataclass(frozen=True)
class PredictedMask:
    """A mask on disk: the share of it that is particle, and how far the networks agree.

    `agreement` is the mean dice of each two networks' masks; None for one network.
    """

    path: Path
    particle: float
    agreement: float | None


def predict_files(
    networks: Sequence[Path], images: Sequence[Path], output: Path, device: str = "cpu"
) -> Iterator[PredictedMask]:
    """Write a mask for each image: where the networks' mean probability of particle is above 1/2.

    Images are prepared as those that each network was trained on. A mask is named after its image.

    Raises
    ------
    LearnError, FileError, RunError
        Naming the file; masks written before stay.
    """
    masks = _masks(images, output)
    loaded = [_Loaded.of(network) for network in networks]
    output.mkdir(parents=True, exist_ok=True)
    for image, mask in masks.items():
        try:
            read = read_image(image)
            found = [
                one.probability(read.pixels.copy(), read.pixel_scale_nm, device) for one in loaded
            ]
        except FileError as error:
            if error.where:
                raise
            raise FileError(error.what, where=str(image), hint=error.hint) from None
        particle = np.mean(found, axis=0) > 0.5
        write_mask(particle, mask)
        yield PredictedMask(mask, float(particle.mean()), _agreement([p > 0.5 for p in found]))


@dataclass(frozen=True)
class _Loaded:
    """A network, and how it wants its images."""

    network: AnyNetwork
    settings: PreprocessSettings
    tile_px: int

    @classmethod
    def of(cls, path: Path) -> _Loaded:
        given = identify(path.stem, NetworkOfOthers(weights=str(path.absolute())), Path("/"))
        ours = path.suffix == ".safetensors"
        tile = describe(path).preprocess.patch.size if ours else TILE_PX
        return cls(load_given(given.place()), given.prepared_as(PreprocessSettings()), tile)

    def probability(self, pixels: Image, pixel_scale_nm: float | None, device: str) -> Image:
        """The particle probability of each pixel; the counts are changed on the way."""
        prepared = preprocess(pixels, self.settings, None, pixel_scale_nm)
        found = probability(self.network, prepared, self.tile_px, device)
        return found if found.shape == pixels.shape else to_shape(found, pixels.shape)


def _agreement(masks: Sequence[npt.NDArray[np.bool_]]) -> float | None:
    """The mean dice of each two masks."""
    pairs = [(int((a & b).sum()), int(a.sum() + b.sum())) for a, b in combinations(masks, 2)]
    return float(np.mean([(2 * tp + 1) / (total + 1) for tp, total in pairs])) if pairs else None


def _masks(images: Sequence[Path], output: Path) -> dict[Path, Path]:
    """Where each image's mask goes; refuses two images of one name."""
    masks: dict[Path, Path] = {}
    for image in images:
        mask = output / f"{image.stem}_mask.png"
        if mask in masks.values():
            raise _same_name(image, mask)
        masks[image] = mask
    return masks


def _same_name(image: Path, mask: Path) -> StudySpecError:
    return RunError(
        f"two images would share the mask {mask.name}",
        where=str(image),
        hint="predict them into two folders",
    )
