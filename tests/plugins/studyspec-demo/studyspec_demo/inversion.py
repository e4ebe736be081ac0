"""Inverted contrast: as if the focus lay on the other side."""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from studyspec.plugins.contracts import Augmentation, Draws
from studyspec.plugins.settings import Settings
from studyspec.plugins.values import Samples


class InversionSettings(Settings):
    """Inversion of the contrast of some samples."""

    probability: float = Field(0.5, ge=0, le=1, description="Share of the samples inverted.")


class Inversion(Augmentation[InversionSettings]):
    """The augmentation `[augment.inversion]`; it reads a catalog column to show how."""

    name = "inversion"
    settings = InversionSettings
    position = 250  # before the dihedral forms (300)
    reads = ("pixel_scale_nm",)

    def active(self, settings: InversionSettings) -> bool:
        """If any sample is inverted."""
        return settings.probability > 0

    def describe(self, settings: InversionSettings) -> str:
        """How many."""
        return f"contrast of {settings.probability:.0%} inverted"

    def apply(self, samples: Samples, settings: InversionSettings, draws: Draws) -> Samples:
        """Some samples with the other sign, those of unknown scale left alone."""
        chosen = draws.uniform("inversion", samples.numbers) < settings.probability
        chosen &= samples.values["pixel_scale_nm"] > 0
        sign = 1.0 - 2.0 * chosen.float()
        return replace(samples, images=samples.images * sign[:, None, None])


INVERSION = Inversion()
