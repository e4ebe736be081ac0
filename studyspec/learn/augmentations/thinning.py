"""Thinning of the counts to a lower dose, in its normal form."""

from __future__ import annotations

import math
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from studyspec.plugins.contracts import Augmentation, Draws
from studyspec.plugins.settings import Settings, fault
from studyspec.plugins.values import Samples

if TYPE_CHECKING:
    from torch import Tensor


class CameraSettings(Settings):
    """What becomes of an electron in the camera; by default a OneView."""

    transfer_half: float = Field(
        0.24,
        gt=0,
        description="Frequency at which the camera transfers one half [of Nyquist]; it falls "
        "exponentially.",
    )
    excess_noise: float = Field(
        0.35, ge=0, description="Standard deviation of the signal of one electron, of its mean."
    )
    quanta: float = Field(
        165.0, gt=0, description="Light quanta detected for one electron: their noise is white."
    )


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

    camera: CameraSettings = CameraSettings()

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
    recipe = 2  # noise with the spectrum of the camera's
    standard = True
    position = 100
    in_validation = True
    reads = ("dose_e_per_A2", "pixel_scale_nm")
    facts = ("relative_sd",)
    requires = MappingProxyType(
        {
            "preprocess.rescale.method": ("standardize", "as it restores the counts from it"),
            "preprocess.resample.pixel_scale_nm": (None, "as noise is made in the camera's pixels"),
        }
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
        noise of variance (1 - p) / (p N) (1 + s x) / s^2 to x, before the camera: it leaves the
        camera blurred, with the noise of its light added. An image of a lower dose stays as it is.
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
        camera = settings.camera
        each, light = 1 + camera.excess_noise**2, 1 / camera.quanta
        shot, white = (
            torch.sqrt((1 + spread * images).clamp(min=0))
            * draws.normal(name, samples.numbers, images[0].numel()).view_as(images)
            for name in ("thinning", "light")
        )
        transfer = _transfer(images, camera.transfer_half)
        blurred = torch.fft.irfft2(torch.fft.rfft2(shot) * transfer, s=images.shape[-2:])
        noise = math.sqrt(each) * blurred + math.sqrt(light) * white
        left = each * _mean_square(transfer, images.shape[-1]) + light
        return replace(
            samples,
            images=(images + torch.sqrt(variance) * noise) / torch.sqrt(1 + variance * left),
        )


def _transfer(images: Tensor, half: float) -> Tensor:
    """2^-(u / half) at the frequencies of `rfft2`, u of Nyquist; (P, P // 2 + 1)."""
    import torch

    rows = 2 * torch.fft.fftfreq(images.shape[-2], device=images.device)[:, None]
    cols = 2 * torch.fft.rfftfreq(images.shape[-1], device=images.device)[None]
    return torch.exp2(-torch.sqrt(rows**2 + cols**2) / half)


def _mean_square(transfer: Tensor, width: int) -> Tensor:
    """Over all frequencies, of which `rfft2` holds one of each two that are opposite."""
    weights = 2 * transfer.new_ones(transfer.shape[-1])
    weights[0] = 1
    if width % 2 == 0:
        weights[-1] = 1
    return (transfer**2 * weights).sum() / (transfer.shape[0] * width)


def _planes(values: Tensor) -> Tensor:
    """(B,) -> (B, 1, 1)."""
    return values[:, None, None]


THINNING = Thinning()
