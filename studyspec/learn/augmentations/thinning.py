"""Thinning of the counts to a lower dose, in its normal form."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from studyspec.plugins.contracts import Augmentation, Draws
from studyspec.plugins.settings import Settings, fault
from studyspec.plugins.values import Samples

if TYPE_CHECKING:
    from torch import Tensor


class ThinningSettings(Settings):
    """Thinning of the counts to a lower dose, as if fewer electrons had come."""

    dose_e_per_A2: float | None = Field(
        None, gt=0, description="Dose that every sample is thinned to [e/Å^2]; default: none."
    )
    least_dose_e_per_A2: float | None = Field(
        None,
        gt=0,
        description="If given, the dose is drawn for each sample, evenly in the logarithm, from "
        "this one to the image's own [e/Å^2].",
    )

    @model_validator(mode="after")
    def one_of_them(self) -> Self:
        """Refuse a fixed and a ranged dose at once."""
        if self.dose_e_per_A2 is not None and self.least_dose_e_per_A2 is not None:
            what = "give dose_e_per_A2 or least_dose_e_per_A2, not both"
            raise fault(what, at="least_dose_e_per_A2")
        return self


class Thinning(Augmentation[ThinningSettings]):
    """The augmentation `[augment.thinning]`."""

    name = "thinning"
    settings = ThinningSettings
    standard = True
    position = 100
    in_validation = True
    reads = ("dose_e_per_A2", "pixel_scale_nm")
    facts = ("relative_sd",)
    requires = MappingProxyType(
        {"preprocess.rescale.method": ("standardize", "as it restores the counts from it")}
    )

    def active(self, settings: ThinningSettings) -> bool:
        """If a dose is given."""
        return settings.dose_e_per_A2 is not None or settings.least_dose_e_per_A2 is not None

    def describe(self, settings: ThinningSettings) -> str:
        """To which dose."""
        if settings.least_dose_e_per_A2 is not None:
            least = f"{settings.least_dose_e_per_A2:g} e/Å²"
            return f"counts thinned to a dose drawn from {least} to the image's own"
        return f"counts thinned to {settings.dose_e_per_A2:g} e/Å²"

    def apply(self, samples: Samples, settings: ThinningSettings, draws: Draws) -> Samples:
        """Standardized images as they would be at a lower dose, standardized again.

        Of n electrons a share p stays, p n ± sqrt(p (1 - p) n): binomial thinning in its normal
        form. With N electrons a pixel, and images of relative standard deviation s, that adds
        noise of variance (1 - p) / (p N) (1 + s x) / s^2 to x. An image of a lower dose stays as
        it is.
        """
        import torch

        images = samples.images
        dose = _planes(samples.values["dose_e_per_A2"])
        electrons = dose * (10 * _planes(samples.values["pixel_scale_nm"])) ** 2
        spread = _planes(samples.values["relative_sd"])
        least = settings.least_dose_e_per_A2
        if least is None:
            wanted = torch.full_like(dose, settings.dose_e_per_A2 or 0.0)
        else:
            part = _planes(draws.uniform("dose", samples.numbers))
            wanted = dose * (least / dose).clamp(max=1) ** part
        share = (wanted / dose).clamp(max=1)
        variance = (1 - share) / (share * electrons * spread**2)
        n = draws.normal("thinning", samples.numbers, images[0].numel()).view_as(images)
        noise = torch.sqrt(variance * (1 + spread * images).clamp(min=0)) * n
        return replace(samples, images=(images + noise) / torch.sqrt(1 + variance))


def _planes(values: Tensor) -> Tensor:
    """(B,) -> (B, 1, 1)."""
    return values[:, None, None]


THINNING = Thinning()
