"""Dice near the edges of particles, and away from them: scores that need the pixels themselves.

The two together count every pixel once. A network that finds all particles and blurs their edges
has a high interior and a low boundary dice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from studyspec.plugins.contracts import PixelMetric
from studyspec.plugins.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor


class RimSettings(Settings):
    """Dice of the pixels within, or beyond, a distance of the edges of the label."""

    rim_px: Annotated[int, Field(ge=1)] = Field(
        2, description="Width of the rim on either side of an edge [px]."
    )


class RegionDice(PixelMetric[RimSettings]):
    """Dice of one region of the patches, pixels pooled: `[evaluation.NAME]`.

    References
    ----------
    P. Kohli, L. Ladický, P. H. S. Torr, Int. J. Comput. Vis. 82, 302 (2009): scores in a band
    around the edges of a label.
    """

    settings = RimSettings
    better = "higher"
    bounds = (0.0, 1.0)

    def __init__(self, name: str, in_rim: bool, label: str, where: str) -> None:
        self.name, self.label, self._in_rim, self._where = name, label, in_rim, where
        self.sums = (f"{name}_tp", f"{name}_fp", f"{name}_fn")
        self.meaning = f"2 TP / (2 TP + FP + FN), pixels pooled, of the pixels {where}."
        self.formula = f"2 * {name}_tp / nullif(2 * {name}_tp + {name}_fp + {name}_fn, 0)"

    def describe(self, settings: RimSettings) -> str:
        """The region."""
        return f"dice of the pixels {self._where} (rim_px = {settings.rim_px})"

    def count(
        self, probability: Tensor, label: Tensor, settings: RimSettings
    ) -> Mapping[str, Tensor]:
        """Pixels of the region that are found, false and missed."""
        near = rim(label, settings.rim_px)
        region = near if self._in_rim else ~near
        found, there = (probability > 0.5) & region, label & region
        counts = (found & there, found & ~there, there & ~found)
        pairs = zip(self.sums, counts, strict=True)
        return {name: pixels.sum(dim=(1, 2)) for name, pixels in pairs}


def rim(label: Tensor, width: int) -> Tensor:
    """Pixels whose centre is at most `width` [px] from that of one of the other class; (B, P, P).

    The edge of a patch is no edge of a particle.
    """
    return grown(label, width) & grown(~label, width)


def grown(mask: Tensor, radius: int) -> Tensor:
    """Pixels at most `radius` [px] from a True one, (B, P, P) bool: row by row of a disc."""
    import torch
    import torch.nn.functional as F

    x = mask[:, None].float()
    height, found = mask.shape[1], torch.zeros_like(mask)
    for down in range(-min(radius, height - 1), min(radius, height - 1) + 1):
        half = math.isqrt(radius**2 - down**2)
        wide = F.max_pool2d(x, (1, 2 * half + 1), stride=1, padding=(0, half))[:, 0] > 0
        there = slice(max(0, down), height + min(0, down))
        here = slice(max(0, -down), height + min(0, -down))
        found[:, here] |= wide[:, there]
    return found


BOUNDARY_DICE = RegionDice(
    "boundary_dice", True, "Boundary dice", "within rim_px of an edge of the label, on either side"
)
INTERIOR_DICE = RegionDice(
    "interior_dice", False, "Interior dice", "farther than rim_px from every edge of the label"
)
