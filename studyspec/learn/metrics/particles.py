"""Scores of whole particles: found, missed, invented, merged, split, and how large they come out.

All are asked for by `[evaluation.particles]`, and are made of what is counted there once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from studyspec.plugins.contracts import CountMetric, PixelMetric
from studyspec.plugins.settings import Settings
from studyspec.plugins.values import Mask, Value

if TYPE_CHECKING:
    from torch import Tensor

    from studyspec.particles.objects import Counting

NAME = "particles"
SCALE = "pixel_scale_nm"
COUNTED = ("labelled", "predicted", "found", "missed", "invented", "merged", "split", "iou")
"""Sums over the particles of a patch."""
PAIRED = ("pairs", "error", "error2")
"""Number of matches off the border; sums of their error of diameter [nm] and of its square."""
LABELLED = ("labelled_off", "labelled_log", "labelled_log2")
PREDICTED = ("predicted_off", "predicted_log", "predicted_log2")
"""Number of particles off the border; sums of ln(diameter [nm]) and of its square."""
OUTCOMES = ("found", "missed", "merged", "split")


class ParticleSettings(Settings):
    """Scores of whole particles, matched where they overlap by more than half."""

    split_touching: bool = Field(
        True, description="Split touching particles by watershed, in label and prediction alike."
    )
    neck: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.75, description="They are split where narrower than this share of the narrower one."
    )
    min_area_px: Annotated[int, Field(ge=1)] = Field(
        64, description="Smaller things are no particles, and smaller holes are filled [px]."
    )

    @property
    def counting(self) -> Counting:
        """As the rule of what is a particle."""
        from studyspec.particles.objects import Counting

        return Counting(self.split_touching, self.neck, self.min_area_px)


class Particles(PixelMetric[ParticleSettings]):
    """The metric that `[evaluation.particles]` asks for, and the counts of those below.

    References
    ----------
    A. Kirillov et al., Panoptic Segmentation, CVPR (2019): matching, and its quality.
    """

    name = NAME
    settings = ParticleSettings
    label = "Particles"
    meaning = (
        "2 found / (labelled + predicted), particles of all patches pooled; one is found where "
        "intersection over union exceeds 0.5."
    )
    better = "higher"
    bounds = (0.0, 1.0)
    sums = tuple(f"{NAME}_n_{one}" for one in (*COUNTED, *PAIRED, *LABELLED, *PREDICTED))
    reads = (SCALE,)
    formula = "2 * particles_n_found / nullif(particles_n_labelled + particles_n_predicted, 0)"

    def describe(self, settings: ParticleSettings) -> str:
        """The rule."""
        return f"particles found where IoU exceeds 0.5; {settings.counting.sentence}"

    def count(
        self, probability: Tensor, label: Tensor, settings: ParticleSettings
    ) -> Mapping[str, Tensor]:
        """As `count_image`, of patches whose pixel scale is not known."""
        return self.count_image(probability, label, settings, {})

    def count_image(
        self,
        probability: Tensor,
        label: Tensor,
        settings: ParticleSettings,
        columns: Mapping[str, Value],
    ) -> Mapping[str, Tensor]:
        """Particles of each patch by what became of them, and sums of their diameters.

        Those at the border of a patch are counted, but their diameters are not. Without a pixel
        scale no diameter is.
        """
        import torch

        scale = columns.get(SCALE)
        known = float(scale) if isinstance(scale, int | float) else None
        found, there = ((probability > 0.5).cpu().numpy(), label.cpu().numpy())
        counts = [_counts(*both, settings, known) for both in zip(there, found, strict=True)]
        table = torch.tensor(counts, dtype=torch.float64).reshape(len(counts), len(self.sums))
        return dict(zip(self.sums, table.to(probability.device).unbind(1), strict=True))


def _counts(
    label: Mask, found: Mask, settings: ParticleSettings, scale_nm: float | None
) -> list[float]:
    """The sums of one patch, in the order of their names."""
    from studyspec.particles.matching import match
    from studyspec.particles.objects import find

    labelled, predicted = (find(mask, settings.counting) for mask in (label, found))
    met = match(labelled.labels, predicted.labels)
    outcomes = (met.found, met.missed, met.invented, met.merged, met.split)
    counts = [float(len(labelled)), float(len(predicted)), *(float(one.sum()) for one in outcomes)]
    counts.append(float(met.iou.sum()))
    if scale_nm is None:
        return counts + [0.0] * len((*PAIRED, *LABELLED, *PREDICTED))
    pairs = met.pairs_px * scale_nm
    error = pairs[:, 1] - pairs[:, 0]
    sizes = [
        np.log(diameters[inside] * scale_nm)
        for diameters, inside in (
            (met.labelled_px, met.labelled_inside),
            (met.predicted_px, met.predicted_inside),
        )
    ]
    for values in (error, *sizes):
        counts += [float(values.size), float(values.sum()), float((values**2).sum())]
    return counts


def _share(outcome: str, label: str, meaning: str, of: str = "labelled") -> CountMetric:
    return CountMetric(
        name=f"particles_{outcome}",
        label=label,
        meaning=f"{meaning}; particles of all patches pooled.",
        better="higher" if outcome == "found" else "lower",
        formula=f"particles_n_{outcome} / nullif(particles_n_{of}, 0)",
        bounds=(0.0, 1.0),
        counted_by=NAME,
    )


PARTICLES = Particles()
FOUND = _share(
    "found",
    "Particles found",
    "Share of the labelled particles in whose place the network sees one, by an intersection over "
    "union above 0.5",
)
MISSED = _share(
    "missed",
    "Particles missed",
    "Share of the labelled particles that are neither found nor merged nor split",
)
INVENTED = _share(
    "invented",
    "Particles invented",
    "Share of the predicted particles that match none, hold no two and are no part of a split one",
    of="predicted",
)
MERGED = _share(
    "merged",
    "Particles merged",
    "Share of the labelled particles most of which lies in one predicted particle, together with "
    "most of another",
)
SPLIT = _share(
    "split",
    "Particles split",
    "Share of the labelled particles that hold most of two or more predicted ones",
)
PANOPTIC_QUALITY = CountMetric(
    name="panoptic_quality",
    label="Panoptic quality",
    meaning="Σ IoU of the particles found / (labelled + predicted) x 2, particles of all patches "
    "pooled.",
    better="higher",
    formula="2 * particles_n_iou / nullif(particles_n_labelled + particles_n_predicted, 0)",
    bounds=(0.0, 1.0),
    counted_by=NAME,
)
DIAMETER_BIAS = CountMetric(
    name="diameter_bias_nm",
    label="Diameter bias [nm]",
    meaning="Mean of the equivalent diameter as predicted less that of the label, over particles "
    "found off the borders of the patches.",
    better="zero",
    formula="particles_n_error / nullif(particles_n_pairs, 0)",
    counted_by=NAME,
)
DIAMETER_SD = CountMetric(
    name="diameter_sd_nm",
    label="Diameter sd [nm]",
    meaning="Standard deviation (ddof 1) of the error of the equivalent diameter, over particles "
    "found off the borders of the patches.",
    better="lower",
    formula="case when particles_n_pairs > 1 then sqrt(greatest(0, (particles_n_error2 - "
    "particles_n_error ** 2 / particles_n_pairs) / (particles_n_pairs - 1))) end",
    counted_by=NAME,
)
