"""Thinning of the counts to a lower dose, in its normal form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from studyspec.catalog.cameras import CAMERAS
from studyspec.errors import FileError, RunError
from studyspec.images.noise import (
    FRAME_COUNTS,
    IMAGE_COUNTS,
    NOISE_FACTS,
    Noise,
    fitted,
    unmeasurable,
)
from studyspec.images.steps.rescale import RELATIVE_SD
from studyspec.plugins.contracts import Augmentation, Draws, is_number
from studyspec.plugins.settings import Settings, fault
from studyspec.plugins.values import Samples, Value
from studyspec.twin.constants import NM

if TYPE_CHECKING:
    from torch import Tensor

    from studyspec.catalog.row import ImageRow

NEEDED = ("dose_e_per_A2", "pixel_scale_nm")
COUNTED = (IMAGE_COUNTS, FRAME_COUNTS, RELATIVE_SD)
ELECTRONS, HALF, SHOT, WHITE, READ = (
    f"thinning.{name}" for name in ("electrons", "half", "shot", "white", "read")
)
"""Names of values: electrons in a pixel, transfer, noise of one electron, reading [electrons]."""
REMEDY = (
    "give camera in the catalog, one of "
    f"{', '.join(CAMERAS)}, or set transfer_half, excess_noise and quanta of "
    "augment.thinning.camera"
)
_NOISE = ", with the noise of each image's camera"


class CameraSettings(Settings):
    """What becomes of an electron in the camera; by default that of each image."""

    transfer_half: float | None = Field(
        None,
        gt=0,
        description="Frequency at which the camera transfers one half [of Nyquist]; it falls "
        "exponentially. Default of all four: those of the camera that the catalog names; where it "
        "names none that is known, estimated from the noise of the image.",
    )
    excess_noise: float | None = Field(
        None, ge=0, description="Standard deviation of the signal of one electron, of its mean."
    )
    quanta: float | None = Field(
        None, gt=0, description="Light quanta detected for one electron: their noise is white."
    )
    read_noise: float | None = Field(
        None,
        ge=0,
        description="Standard deviation of reading a pixel [counts]; an estimate has it in the "
        "quanta.",
    )

    @property
    def complete(self) -> bool:
        """Whether nothing is left to estimate."""
        return None not in (self.transfer_half, self.excess_noise, self.quanta)


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
    recipe = 3  # with the camera of each image
    standard = True
    position = 100
    in_validation = True
    reads = (*NEEDED, "voltage_kv", "camera")
    facts = (*COUNTED, *NOISE_FACTS)
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
            return f"counts thinned to a dose drawn from {least} to the image's own{_NOISE}"
        return f"counts thinned to {settings.dose_e_per_A2:g} e/Å²{_NOISE}"

    def lacks(self, settings: ThinningSettings, row: ImageRow) -> tuple[str, str] | None:
        """Dose and scale, and a camera that is neither named nor told by the image's noise."""
        told = row.values()
        for name in NEEDED:
            if not is_number(told.get(name)):
                return f"thinning needs {name}", f"give {name} in the catalog"
        if row.camera in CAMERAS or settings.camera.complete:
            return None
        why = unmeasurable(row)
        return (_unknown(row.camera, why), REMEDY) if why else None

    def values(
        self, settings: ThinningSettings, columns: Mapping[str, Value], facts: Mapping[str, float]
    ) -> Mapping[str, float]:
        """Dose, scale and spread of an image, and what its camera does to an electron."""
        told = {name: columns.get(name) for name in NEEDED}
        told |= {name: facts.get(name) for name in COUNTED}
        numbers = {name: float(value) for name, value in told.items() if is_number(value)}
        if missing := told.keys() - numbers.keys():
            what = f"thinning needs {', '.join(sorted(missing))}"
            raise RunError(what, hint="give dose and pixel scale in the catalog")
        dose, scale = (numbers[name] for name in NEEDED)
        electrons = dose * (NM * scale) ** 2 * numbers[IMAGE_COUNTS] / numbers[FRAME_COUNTS]
        numbers = {NEEDED[0]: dose, RELATIVE_SD: numbers[RELATIVE_SD], ELECTRONS: electrons}
        noise, read_noise = _camera(settings.camera, columns, facts, numbers)
        read = read_noise * electrons / facts[IMAGE_COUNTS] if read_noise else 0.0
        return {
            **numbers,
            HALF: noise.transfer_half,
            SHOT: noise.shot,
            WHITE: noise.white,
            READ: read,
        }

    def apply(self, samples: Samples, settings: ThinningSettings, draws: Draws) -> Samples:
        """Standardized images as they would be at a lower dose, standardized again.

        Of n electrons a share p stays, p n ± sqrt(p (1 - p) n): binomial thinning in its normal
        form. With N electrons a pixel, and images of relative standard deviation s, that adds
        noise of variance (1 - p) / (p N) (1 + s x) / s^2 to x, before the camera: it leaves the
        camera blurred, with the noise of its light added. Noise of reading, r electrons, is of
        variance r^2 / N^2 / s^2 at any brightness, and grows by (1 - p^2) / p^2. An image of a
        lower dose stays as it is.
        """
        import torch

        images, numbers = samples.images, samples.numbers
        told = {name: _planes(values) for name, values in samples.values.items()}
        dose = told["dose_e_per_A2"]
        electrons, spread = told[ELECTRONS], told[RELATIVE_SD]
        share = self._share(dose, numbers, settings, draws)
        variance = (1 - share) / (share * electrons * spread**2)
        read = told[READ] ** 2 * (1 + share) / (share * electrons)
        bright = (1 + spread * images).clamp(min=0)
        shot, white = (
            draws.normal(name, numbers, images[0].numel()).view_as(images)
            for name in ("thinning", "light")
        )
        transfer = _transfer(images, told[HALF])
        shot = torch.sqrt(told[SHOT] * bright) * shot
        blurred = torch.fft.irfft2(torch.fft.rfft2(shot) * transfer, s=images.shape[-2:])
        noise = blurred + torch.sqrt(told[WHITE] * bright + read) * white
        left = told[SHOT] * _mean_square(transfer, images.shape[-1]) + told[WHITE] + read
        return replace(
            samples,
            images=(images + torch.sqrt(variance) * noise) / torch.sqrt(1 + variance * left),
        )

    def _share(
        self, dose: Tensor, numbers: Tensor, settings: ThinningSettings, draws: Draws
    ) -> Tensor:
        """Which part of the electrons stays, (B, 1, 1)."""
        import torch

        least = settings.least_dose_e_per_A2
        if least is None:
            wanted = torch.full_like(dose, settings.dose_e_per_A2 or 0.0)
        else:
            part = _planes(draws.uniform("dose", numbers))
            wanted = dose * (least / dose).clamp(max=1) ** part
        return (wanted / dose).clamp(max=1)


def _camera(
    settings: CameraSettings,
    columns: Mapping[str, Value],
    facts: Mapping[str, float],
    numbers: Mapping[str, float],
) -> tuple[Noise, float | None]:
    """Noise of one electron, and of reading [counts]: as set, else as the catalog names it."""
    name = columns.get("camera")
    known = CAMERAS.get(name) if isinstance(name, str) else None
    if known is not None:
        found = Noise(known.mtf_half, 1 + known.excess_noise**2, 1 / known.quanta)
    elif settings.complete:
        found = Noise(1.0, 1.0, 1.0)  # nothing of it stays
    else:
        found = _estimated(columns, facts, numbers)
    half, excess, quanta = settings.transfer_half, settings.excess_noise, settings.quanta
    noise = Noise(
        found.transfer_half if half is None else half,
        found.shot if excess is None else 1 + excess**2,
        found.white if quanta is None else 1 / quanta,
    )
    read = known.read_noise if known is not None else None
    return noise, read if settings.read_noise is None else settings.read_noise


def _estimated(
    columns: Mapping[str, Value], facts: Mapping[str, float], numbers: Mapping[str, float]
) -> Noise:
    """As the noise of the image says.

    Raises
    ------
    RunError
        If it says too little, with what to set.
    """
    scale, voltage_kv = (columns.get(name) for name in ("pixel_scale_nm", "voltage_kv"))
    assert is_number(scale)
    kv = voltage_kv if is_number(voltage_kv) else None
    try:
        return fitted(facts, numbers[RELATIVE_SD], numbers[ELECTRONS], scale, kv)
    except FileError as error:
        raise RunError(_unknown(columns.get("camera"), error.what), hint=REMEDY) from None


def _unknown(camera: Value, why: str) -> str:
    named = "names no camera" if camera is None else f"names the camera '{camera}'"
    return f"thinning knows no noise: the catalog {named}, and {why}"


def _transfer(images: Tensor, half: Tensor) -> Tensor:
    """2^-(u / half) at the frequencies of `rfft2`, u of Nyquist; (B, P, P // 2 + 1)."""
    import torch

    rows = 2 * torch.fft.fftfreq(images.shape[-2], device=images.device)[:, None]
    cols = 2 * torch.fft.rfftfreq(images.shape[-1], device=images.device)[None]
    return torch.exp2(-torch.sqrt(rows**2 + cols**2) / half)


def _mean_square(transfer: Tensor, width: int) -> Tensor:
    """Over all frequencies, of which `rfft2` holds one of each two that are opposite; (B, 1, 1)."""
    weights = 2 * transfer.new_ones(transfer.shape[-1])
    weights[0] = 1
    if width % 2 == 0:
        weights[-1] = 1
    total = (transfer**2 * weights).sum((-2, -1), keepdim=True)
    return total / (transfer.shape[-2] * width)


def _planes(values: Tensor) -> Tensor:
    """(B,) -> (B, 1, 1)."""
    return values[:, None, None]


THINNING = Thinning()
