"""Networks outside of studies: masks for new images, and published weights made readable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studyspec.api.workplace import AnyPath, Paths, several

if TYPE_CHECKING:
    from studyspec.learn.masks import PredictedMask as PredictedMask


@dataclass(frozen=True)
class Converted:
    """Weights that were converted: the new file and its SHA-256."""

    path: Path
    sha256: str


def predict(
    networks: Paths,
    images: Paths,
    output: AnyPath = "masks",
    device: str = "cpu",
    on_mask: Callable[[PredictedMask], None] = lambda mask: None,
    trust: bool = False,
) -> tuple[PredictedMask, ...]:
    """Write a mask for each image: where do networks see particles?

    Parameters
    ----------
    networks
        Files of networks (.safetensors, .pt, .onnx). A mask is where the mean of their
        probabilities exceeds one half.
    images
        Image files; each is prepared as those that a network was trained on.
    output
        Folder of the masks (png, 0 and 255), each named after its image.
    device
        "cpu", "cuda:0", ...
    on_mask
        Is told of each mask as soon as it is written.
    trust
        Whether networks that are code (TorchScript) may run.

    Raises
    ------
    LearnError, FileError, PluginError
        Naming the file; masks written before stay.
    """
    from studyspec.learn.masks import predict_files

    weights, pictures = ([Path(path) for path in several(paths)] for paths in (networks, images))
    masks = []
    for mask in predict_files(weights, pictures, Path(output), device, trust):
        on_mask(mask)
        masks.append(mask)
    return tuple(masks)


def convert(file: AnyPath, output: AnyPath | None = None) -> Converted:
    """Turn pickled weights of the residual U-Net into safetensors, without running what is in them.

    Parameters
    ----------
    file
        Pickled weights (.h5, .pt, .pth).
    output
        Folder of the new file; default: beside the old one.

    Raises
    ------
    LearnError
        If the file holds anything but tensors, or the weights of another network.
    """
    from studyspec.learn.conversion import convert as convert_file

    source = Path(file)
    target = Path(output or source.parent) / f"{source.stem}.safetensors"
    return Converted(target, convert_file(source, target))
