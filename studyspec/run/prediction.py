"""Prediction: masks of unlabelled image files by one network. Knows files; no catalog, no store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from studyspec.catalog.readers import read_image, write_mask
from studyspec.errors import FileError, RunError, StudySpecError
from studyspec.images.prepare import preprocess
from studyspec.learn.prediction import predict
from studyspec.learn.weights import describe, load_network


def predict_files(
    network: Path, images: Sequence[Path], output: Path, device: str = "cpu"
) -> Iterator[tuple[Path, float]]:
    """Write a mask for each image; gives each mask's path and its share of particle.

    Images are prepared as those that the network was trained on. A mask is named after its image.

    Raises
    ------
    LearnError, FileError, RunError
        Naming the file; masks written before stay.
    """
    masks = _masks(images, output)
    description = describe(network)
    model = load_network(network, description.model)
    output.mkdir(parents=True, exist_ok=True)
    for image, mask in masks.items():
        try:
            pixels = preprocess(read_image(image).pixels, description.preprocess)
            found = predict(model, pixels, description.preprocess.patch.size, device)
        except FileError as error:
            if error.where:
                raise
            raise FileError(error.what, where=str(image), hint=error.hint) from None
        write_mask(found, mask)
        yield mask, float(np.mean(found))


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
