"""False particles: what a network sees where nothing is labelled. Empty patches have such too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from studyspec.plugins.contracts import PixelMetric
from studyspec.plugins.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

    from studyspec.plugins.values import Mask

NUMBER, AREA = "false_particles_n", "false_particles_px"


class FalseParticleSettings(Settings):
    """False particles: connected predictions that touch no labelled pixel."""

    min_area_px: Annotated[int, Field(ge=1)] = Field(
        64, description="Smaller ones are specks, which do not count [px]."
    )


class FalseParticles(PixelMetric[FalseParticleSettings]):
    """The metric that `[evaluation.false_particles]` asks for."""

    name = "false_particles"
    settings = FalseParticleSettings
    label = "False particles"
    meaning = (
        "Connected predictions that touch no labelled pixel, for each million pixels; patches "
        "without particles count if preprocess.patch.empty keeps them."
    )
    better = "lower"
    sums = (NUMBER, AREA)
    formula = f"1e6 * {NUMBER} / nullif({AREA}, 0)"

    def describe(self, settings: FalseParticleSettings) -> str:
        """What counts."""
        return f"false particles of {settings.min_area_px} pixels or more"

    def count(
        self, probability: Tensor, label: Tensor, settings: FalseParticleSettings
    ) -> Mapping[str, Tensor]:
        """False particles of each patch, and its pixels."""
        import torch

        found, there = (probability > 0.5).cpu().numpy(), label.cpu().numpy()
        counts = [false_particles(*both, settings) for both in zip(found, there, strict=True)]
        pixels = [one.size for one in there]
        columns = (torch.tensor(each, dtype=torch.float64) for each in (counts, pixels))
        return dict(zip(self.sums, (one.to(probability.device) for one in columns), strict=True))


FALSE_PARTICLES = FalseParticles()


def false_particles(found: Mask, label: Mask, settings: FalseParticleSettings) -> int:
    """How many connected parts of `found` (H, W) are large enough and touch no pixel of `label`."""
    from scipy import ndimage

    parts, n = ndimage.label(found, structure=np.ones((3, 3), int))
    if not n:
        return 0
    sizes = np.bincount(parts.ravel(), minlength=n + 1)[1:]
    met = np.bincount(parts[label], minlength=n + 1)[1:]
    return int(((sizes >= settings.min_area_px) & (met == 0)).sum())
