"""Masks: what networks see in unlabelled image files. Knows files; no catalog, no store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from studyspec.catalog.readers import read_image, write_mask
from studyspec.errors import FileError, LearnError, OutOfMemory, ScaleUnknown, StudySpecError
from studyspec.learn.applied import Applied
from studyspec.learn.networks import NetworkFile
from studyspec.particles.measures import dice
from studyspec.plugins.values import Image, Mask, RawImage

PNG = ".png"


@dataclass(frozen=True)
class Seen:
    """What networks see in an image.

    Attributes
    ----------
    path
        The image file.
    image
        Its pixels and its pixel scale: the one that was given, or else its header's.
    probability
        (H, W), the mean of the networks'.
    masks
        Where each network sees particle, (H, W).
    """

    path: Path
    image: RawImage
    probability: Image
    masks: tuple[Mask, ...]

    @property
    def mask(self) -> Mask:
        """Where the mean probability is above 1/2."""
        return self.probability > 0.5


@dataclass(frozen=True)
class PredictedMask:
    """A mask on disk: the share of it that is particle, and how far the networks agree.

    `agreement` is the mean dice of each two networks' masks; None for one network.
    """

    path: Path
    particle: float
    agreement: float | None


@dataclass(frozen=True)
class Masks:
    """How masks are written: the end of their names, and what writes one."""

    suffix: str
    write: Callable[[Seen, Path], None]


PNG_MASKS = Masks(PNG, lambda seen, path: write_mask(seen.mask, path))
Failed = Callable[[Path, StudySpecError], None]


def predict_files(
    networks: Sequence[NetworkFile | Path],
    images: Sequence[Path],
    output: Path,
    device: str = "cpu",
    pixel_scale_nm: float | None = None,
    masks: Masks = PNG_MASKS,
    on_failure: Failed | None = None,
) -> Iterator[PredictedMask]:
    """Write a mask for each image: where the networks' mean probability of particle is above 1/2.

    Images are prepared as those that each network was trained on, and resampled to their scale; the
    scale of an image is `pixel_scale_nm`, or else its header's. A mask is named after its image.
    With `on_failure` an image that cannot be read or prepared does not stop the others.

    Raises
    ------
    LearnError, FileError, PluginError
        Naming the file; masks written before stay.
    """
    paths = _paths(images, output, masks.suffix)
    loaded = [Applied.of(network) for network in networks]
    for number, (image, path) in enumerate(paths.items()):
        try:
            seen = _seen(image, loaded, device, pixel_scale_nm)
        except (FileError, LearnError) as error:
            asked = isinstance(error, ScaleUnknown) and number == 0
            if on_failure is None or asked or isinstance(error, OutOfMemory):
                raise
            on_failure(image, error)
            continue
        masks.write(seen, path)
        yield PredictedMask(path, float(seen.mask.mean()), dice(seen.masks))


def _seen(
    path: Path, networks: Sequence[Applied], device: str, pixel_scale_nm: float | None
) -> Seen:
    """What networks see in an image file."""
    try:
        raw = read_image(path)
        found = [one.probability(raw, device, pixel_scale_nm, str(path)) for one in networks]
    except (FileError, LearnError) as error:
        if error.where or isinstance(error, OutOfMemory):
            raise
        raise type(error)(error.what, where=str(path), hint=error.hint) from None
    image = RawImage(raw.pixels, pixel_scale_nm or raw.pixel_scale_nm, raw.frame)
    mean = np.asarray(np.mean(found, axis=0), np.float32)
    return Seen(path, image, mean, tuple(one > 0.5 for one in found))


def _paths(images: Sequence[Path], output: Path, suffix: str) -> dict[Path, Path]:
    """Where each image's mask goes; refuses two images of one name."""
    masks: dict[Path, Path] = {}
    for image in images:
        mask = output / f"{image.stem}_mask{suffix}"
        if mask in masks.values():
            raise LearnError(
                f"two images would share the mask {mask.name}",
                where=str(image),
                hint="predict them into two folders",
            )
        masks[image] = mask
    return masks
