"""Additive noise: x -> (x + rho n) / sqrt(1 + rho^2), n standard normal (Sytwu et al. 2023)."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Self

from pydantic import Field, model_validator

from studyspec.plugins.contracts import Augmentation, Draws
from studyspec.plugins.settings import Settings, fault
from studyspec.plugins.values import Samples


class NoiseSettings(Settings):
    """Gaussian noise x -> (x + rho n) / sqrt(1 + rho^2) on standardized images."""

    rho: float = Field(0.0, ge=0, description="Noise in units of the image's standard deviation.")
    rho_max: float | None = Field(
        None, gt=0, description="If given, rho is drawn uniformly from [0, rho_max] per sample."
    )

    @model_validator(mode="after")
    def one_of_them(self) -> Self:
        """Refuse a fixed and a ranged rho at once."""
        if self.rho_max is not None and self.rho > 0:
            raise fault("give rho or rho_max, not both", at="rho_max")
        return self


class Noise(Augmentation[NoiseSettings]):
    """The augmentation `[augment.noise]`."""

    name = "noise"
    settings = NoiseSettings
    standard = True
    position = 200
    in_validation = True
    requires = MappingProxyType(
        {"preprocess.rescale.method": ("standardize", "as rho is in units of the standardized sd")}
    )

    def active(self, settings: NoiseSettings) -> bool:
        """If there is any noise."""
        return settings.rho > 0 or settings.rho_max is not None

    def describe(self, settings: NoiseSettings) -> str:
        """How strong."""
        if settings.rho_max is not None:
            return f"Gaussian noise, rho drawn from 0 to {settings.rho_max:g} for each sample"
        return f"Gaussian noise, rho {settings.rho:g}"

    def apply(self, samples: Samples, settings: NoiseSettings, draws: Draws) -> Samples:
        """The samples with noise of their own, at the same standard deviation."""
        import torch

        images = samples.images
        if settings.rho_max is None:
            rho = torch.full((len(images),), settings.rho, device=images.device)
        else:
            rho = draws.uniform("rho", samples.numbers) * settings.rho_max
        rho = rho[:, None, None]
        n = draws.normal("noise", samples.numbers, images[0].numel()).view_as(images)
        return replace(samples, images=(images + rho * n) / torch.sqrt(1 + rho**2))


NOISE = Noise()
