"""Values that plug-ins take and give: images on their way to patches, batches on theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
FileArray = npt.NDArray[Any]
"""What a file holds, of whatever shape and type."""
Value = str | int | float | bool | date | None
"""A cell of the catalog."""


@dataclass(frozen=True)
class RawImage:
    """An image as a file or a simulation gives it.

    Attributes
    ----------
    pixels
        Counts, shape (H, W), float32.
    pixel_scale_nm
        Edge of a pixel as the header says [nm]; None if it does not say.
    frame
        The larger image that it is a part of; None if it is whole.
    """

    pixels: Image
    pixel_scale_nm: float | None = None
    frame: Frame | None = None


@dataclass(frozen=True)
class Frame:
    """The larger image that an image was cut from: flat field, mean and spread are the frame's.

    Attributes
    ----------
    view
        Counts of the whole frame, each point the mean of `reduction` x `reduction` pixels; float32.
    row, col
        Where the image begins in the frame [px].
    weights
        How much of the frame each pixel of the image stands for, (H, W), mean 1.
    """

    view: Image
    reduction: int
    row: int
    col: int
    weights: Image


@dataclass(frozen=True)
class WorkingImage:
    """An image between two steps of its preparation.

    Attributes
    ----------
    pixels
        Shape (H, W), float32; a step may change it in place.
    label
        True is particle, shape (H, W); None where there is none.
    pixel_scale_nm
        Edge of a pixel [nm], if it is known; a step that resamples changes it.
    frame
        The larger image that this one is a part of.
    columns
        The catalog's values that a step says it reads.
    facts
        Numbers that steps note of the image; patches keep them, and augmentations may ask for them.
    """

    pixels: Image
    label: Mask | None = None
    pixel_scale_nm: float | None = None
    frame: Frame | None = None
    columns: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    facts: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Samples:
    """A batch on its way to the network.

    Attributes
    ----------
    images, labels
        (B, P, P), float32 and uint8 (1 is particle).
    numbers
        Number of each sample in its epoch, int64 (B,): what its random numbers depend on.
    values
        For each name that the `values` of an augmentation gave, as of catalog columns and facts,
        its number of each sample, (B,).
    """

    images: Tensor
    labels: Tensor
    numbers: Tensor
    values: Mapping[str, Tensor] = field(default_factory=lambda: MappingProxyType({}))
