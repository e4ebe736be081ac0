"""Prediction: where a network sees particles in a whole image, however large.

Knows prepared images (x-rays, flat field and rescaling done); no files.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from studyspec.errors import LearnError
from studyspec.learn.devices import memory_watch
from studyspec.learn.networks import MULTIPLE_PX as MULTIPLE_PX
from studyspec.learn.networks import TILE_PX as TILE_PX

Image = npt.NDArray[np.float32]


@torch.no_grad()
def probability(
    network: nn.Module,
    image: Image,
    tile_px: int = TILE_PX,
    device: str = "cpu",
    multiple_px: int = MULTIPLE_PX,
) -> Image:
    """The particle probability of each pixel.

    Tiles overlap by a quarter at least and are blended with weights that fall to zero towards
    their edges, where a tile knows least; so no seam is seen.

    Parameters
    ----------
    network
        Moved to the device and set to evaluation mode; computes in float32.
    image
        (H, W), at least `multiple_px` each, prepared as the network's training images were.
    tile_px
        Edge of a tile [px], best that of the training patches; taken up to a multiple.
    device
        Where to compute.
    multiple_px
        What the network needs height and width to be a multiple of [px].

    Returns
    -------
    ndarray
        (H, W), float32, 0 to 1.

    Raises
    ------
    LearnError
        If the image is too small, or the network gives values that are no numbers.
    OutOfMemory
        If the device has too little memory.
    """
    height, width = image.shape
    step = multiple_px
    if min(height, width) < step:
        raise LearnError(
            f"an image of {height} x {width} pixels is too small; at least {step} x {step}"
        )
    network = network.to(device).eval()
    tile = tile_px + -tile_px % step
    pads = [(0, -edge % step) for edge in image.shape]
    padded = torch.from_numpy(np.pad(image, pads, mode="reflect"))
    total, weight = torch.zeros_like(padded), torch.zeros_like(padded)
    with memory_watch():
        for rows in _tiles(padded.shape[0], tile, step):
            for cols in _tiles(padded.shape[1], tile, step):
                logits = network(padded[None, None, rows, cols].to(device))[0]
                window = _window(logits.shape[1])[:, None] * _window(logits.shape[2])
                total[rows, cols] += window * torch.sigmoid(logits[1] - logits[0]).cpu()
                weight[rows, cols] += window
    refuse_nan(total)
    return (total / weight)[:height, :width].numpy()


@torch.no_grad()
def predict_patches(
    network: nn.Module, patches: npt.NDArray[np.float32], device: str = "cpu"
) -> npt.NDArray[np.bool_]:
    """Where the network sees particles in prepared patches, (N, P, P)."""
    network = network.to(device).eval()
    with memory_watch():
        logits = network(torch.from_numpy(patches)[:, None].to(device))
    refuse_nan(logits)
    return np.asarray((logits[:, 1] > logits[:, 0]).cpu().numpy())


def refuse_nan(values: Tensor) -> None:
    """Refuse what a network gives if any of it is no number: no particle is a result, NaN is none.

    Raises
    ------
    LearnError
        If so.
    """
    if bool(torch.isnan(values).any()):
        raise LearnError(
            "the network gives values that are no numbers (NaN)",
            hint="did its training diverge? are its images prepared as those that it was made for?",
        )


def _tiles(edge: int, tile: int, step: int) -> Iterator[slice]:
    """Tiles along an edge that overlap by a quarter or more, each beginning at a whole step."""
    span = max(0, edge - tile)
    gaps = -(-4 * span // (3 * tile))
    for i in range(gaps + 1):
        start = span * i // max(1, gaps) // step * step
        yield slice(start, min(edge, start + tile))


def _window(edge: int) -> Tensor:
    """Weights along an edge: rising over a quarter of it, then 1, then falling."""
    i = torch.arange(edge) + 0.5
    return torch.clamp(torch.minimum(i, edge - i) / (edge / 4), max=1.0)
