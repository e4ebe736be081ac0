"""Crops: squares at random places of the patches that are trained on, and of nothing else.

A crop is a patch moved by less than its edge. It may lie across the borders of up to four patches
that touch in one image; where one of these is not trained on (it is held out, validates, has too
little particle, or is no more in the image) the crop moves along the other edge alone, or stays.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from torch import Tensor

from studyspec.learn.draws import Draws

Positions = npt.NDArray[np.int64]
NOBODY = -1
"""Stands in place of a neighbour that is not trained on."""
Piece = tuple[int, slice, slice]


def shifts(draws: Draws, samples: Tensor, around: Positions, size: int) -> npt.NDArray[np.int64]:
    """How far the crop of each sample lies from its patch, down and right [px]; int64 (B, 2).

    Parameters
    ----------
    samples
        Numbers of the samples, (B,).
    around
        Positions of the patches around that of each sample, (B, 3, 3); `NOBODY` for none.
    size
        Edge of a patch [px].
    """
    own = draws.of("crops")
    drawn = [own.uniform(edge, samples).double().numpy() for edge in ("row", "col")]
    asked = np.stack([np.floor(u * (2 * size - 1)) - (size - 1) for u in drawn], 1).astype(np.int64)
    down, right = (1 + np.sign(asked)).T
    there = around != NOBODY
    each = np.arange(len(around))
    vertical, horizontal = there[each, down, 1], there[each, 1, right]
    whole = vertical & horizontal & there[each, down, right]
    along = np.abs(asked[:, 0]) >= np.abs(asked[:, 1])  # the longer way, where there are two
    moves = np.stack(
        [whole | (vertical & (along | ~horizontal)), whole | (horizontal & (~along | ~vertical))], 1
    )
    return np.where(moves, asked, 0)


def crop(
    patches: npt.NDArray[np.generic], around: Positions, moved: npt.NDArray[np.int64]
) -> npt.NDArray[np.generic]:
    """Crops (B, P, P) of patches (N, P, P); `around` and `moved` as for `shifts`."""
    size = patches.shape[-1]
    found = np.empty((len(around), size, size), patches.dtype)
    for one, near, (down, right) in zip(found, around, moved.tolist(), strict=True):
        for row, from_rows, to_rows in _pieces(down, size):
            for col, from_cols, to_cols in _pieces(right, size):
                one[to_rows, to_cols] = patches[near[row, col], from_rows, from_cols]
    return found


def _pieces(shift: int, size: int) -> Iterator[Piece]:
    """Along one edge: the patch (0 before, 1 the own, 2 after), its pixels, and where they go."""
    if shift < 0:
        yield 0, slice(size + shift, size), slice(0, -shift)
        yield 1, slice(0, size + shift), slice(-shift, size)
        return
    yield 1, slice(shift, size), slice(0, size - shift)
    if shift:
        yield 2, slice(0, shift), slice(size - shift, size)
