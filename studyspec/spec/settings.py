"""The settings of a study: every table below `[datasets]`, with the paper's values by default.

Owns the meaning of each number (unit and source in its description); knows no files, no torch.
Numbers are those of Sytwu, Rangel DaCosta and Scott (2023) unless a description says so.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from studyspec.spec.wording import fault

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
PositiveInt = Annotated[int, Field(ge=1)]


class Settings(BaseModel):
    """A frozen table that refuses unknown keys and takes no value for another kind of value."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


class XraySettings(Settings):
    """Removal of x-ray hits: pixels far above their surroundings."""

    enabled: bool = Field(True, description="Remove x-ray hits at all.")
    threshold: float = Field(
        1500.0, gt=0, description="Counts above the image's centre that make an x-ray (strictly)."
    )
    center: Literal["median", "mean"] = Field(
        "median",
        description="Centre of the image: the notebooks use the median, the text the mean.",
    )
    passes: PositiveInt = Field(2, description="How many times the whole removal runs.")


class FlatFieldSettings(Settings):
    """Division by a smooth surface (Bernstein basis) fitted to the image."""

    enabled: bool = Field(True, description="Divide by the fitted surface.")
    order: tuple[Annotated[int, Field(ge=0, le=8)], Annotated[int, Field(ge=0, le=8)]] = Field(
        (2, 2),
        strict=False,
        description="Polynomial orders along rows and columns; (2, 2) has nine terms.",
    )
    reduction: PositiveInt = Field(4, description="The image is reduced this many times to fit.")
    fits: PositiveInt = Field(2, description="Number of fits; each after the first is re-weighted.")


class RescaleSettings(Settings):
    """Intensity scale of the image."""

    method: Literal["standardize", "normalize", "histogram"] = Field(
        "standardize",
        description="standardize: mean 0, sd 1; normalize: min 0, max 1; histogram: 0 and 1 at the "
        "1st and 99th percentile.",
    )
    clip: bool = Field(True, description="histogram only: clip what lies outside 0 to 1.")


class ResampleSettings(Settings):
    """Bringing images of several magnifications to one pixel scale."""

    pixel_scale_nm: float | None = Field(
        None,
        gt=0,
        description="Edge of a pixel that every image is resampled to, before rescaling [nm]; "
        "default: images stay as they are.",
        examples=[0.033],
    )


class PatchSettings(Settings):
    """Cutting of an image into square patches."""

    size: Annotated[int, Field(ge=16, multiple_of=16)] = Field(
        512, description="Edge of a patch [px]; a multiple of 16, as the network halves it 4 times."
    )
    min_particle_px: Annotated[int, Field(ge=0)] = Field(
        400, description="Patches with this many particle pixels or fewer are dropped [px]."
    )


class PreprocessSettings(Settings):
    """What happens to an image before a network sees it."""

    xray: XraySettings = XraySettings()
    flat_field: FlatFieldSettings = FlatFieldSettings()
    resample: ResampleSettings = ResampleSettings()
    rescale: RescaleSettings = RescaleSettings()
    patch: PatchSettings = PatchSettings()


class RotationSettings(Settings):
    """Rotation of training samples by a uniform random angle."""

    probability: Fraction = Field(0.5, description="Share of the training samples rotated.")
    label_rule: Literal["half", "published"] = Field(
        "half",
        description="A rotated label pixel is particle if its bilinear value is > 0.5 (half) or 1 "
        "(published, which erodes small particles).",
    )


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

    @property
    def enabled(self) -> bool:
        """Whether anything is thinned."""
        return self.dose_e_per_A2 is not None or self.least_dose_e_per_A2 is not None


class AugmentSettings(Settings):
    """What happens to training samples on the fly."""

    dihedral: Literal["all", "random", "none"] = Field(
        "all",
        description="all: every patch counts in its 8 dihedral forms, in training and validation; "
        "random: one random form per epoch; none: as it is.",
    )
    rotation: RotationSettings = RotationSettings()
    thinning: ThinningSettings = ThinningSettings()
    noise: NoiseSettings = NoiseSettings()


KernelSize = Literal[3, 5, 7]
Dilation = Literal[1, 2, 3]


class ModelSettings(Settings):
    """The residual U-Net: four levels and a bottleneck."""

    first_filters: Annotated[int, Field(ge=1, le=64)] = Field(
        4, description="Filters of the first level; every level doubles them."
    )
    kernel_sizes: tuple[KernelSize, ...] = Field(
        (3,) * 10,
        strict=False,
        min_length=10,
        max_length=10,
        description="Kernel of both convolutions of levels 1 to 5; the decoder takes its level's.",
    )
    dilations: tuple[Dilation, ...] = Field(
        (1,) * 5,
        strict=False,
        min_length=5,
        max_length=5,
        description="Dilation of levels 1 to 5; the decoder takes its level's.",
    )


class TrainingSettings(Settings):
    """How a network is trained: cross-entropy and Adam, lowest validation loss kept."""

    epochs: PositiveInt = Field(250, description="Passes over the training patches.")
    batch_size: PositiveInt = Field(32, description="Samples per optimizer step.")
    micro_batch: PositiveInt | None = Field(
        None,
        description="Samples held in memory at once (gradients are accumulated); default: a whole "
        "batch. Part of the identity: batch norm sees it.",
    )
    learning_rate: float = Field(1e-4, gt=0, description="Step size of Adam.")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="auto: bfloat16 where the hardware has it."
    )


class CrossValidationSettings(Settings):
    """How patches become folds."""

    folds: Annotated[int, Field(ge=2)] = Field(5, description="Number of folds.")
    unit: Literal["patch", "image"] = Field(
        "patch",
        description="patch (published): patches of one image fall into training and test parts; "
        "image: an image's patches stay together, in validation too.",
    )
    seeds: tuple[int, ...] = Field(
        (962, 1662, 621, 72115, 45521),
        strict=False,
        description="Seed of each fold's training.",
    )
    shuffle_seed: int = Field(34522, ge=0, description="Seed of the order of a dataset's images.")
    validation_percent: float = Field(
        12.5, gt=0, lt=100, description="Share of the rest of a fold that validates [%]."
    )

    @model_validator(mode="after")
    def a_seed_for_each_fold(self) -> Self:
        """Refuse fewer seeds than folds."""
        if len(self.seeds) < self.folds:
            what = f"{self.folds} folds need {self.folds} seeds, not {len(self.seeds)}"
            raise fault(what, at="folds")
        return self


Split = Literal["train", "validation", "test"]


class EvaluationSettings(Settings):
    """How a network is tested."""

    dihedral: bool = Field(True, description="Score every patch in its 8 dihedral forms.")
    splits: tuple[Split, ...] = Field(
        ("test",),
        strict=False,
        min_length=1,
        description="Parts to score; train and validation are parts of a network's own set.",
    )

    @field_validator("splits")
    @classmethod
    def no_split_twice(cls, splits: tuple[Split, ...]) -> tuple[Split, ...]:
        """Refuse a repeated split."""
        if len(set(splits)) < len(splits):
            raise fault("each split at most once")
        return splits


class MeasureSettings(Settings):
    """Statistics of the prepared images: contrast, roughness, histogram, power spectrum."""

    enabled: bool = Field(False, description="Measure the images of every dataset.")
    only: bool = Field(False, description="Measure alone: nothing is trained or tested.")
    rho: tuple[Annotated[float, Field(ge=0)], ...] = Field(
        (0.0,),
        strict=False,
        min_length=1,
        description="Noise to add before measuring, as augment.noise.rho.",
        examples=[[0.0, 0.5, 1.0]],
    )

    @model_validator(mode="after")
    def alone_is_enabled(self) -> Self:
        """Refuse a study that would do nothing at all."""
        if self.only and not self.enabled:
            raise fault("only = true needs enabled = true", at="only")
        return self


class StageSettings(Settings):
    """Every table that decides what a variant computes."""

    preprocess: PreprocessSettings = PreprocessSettings()
    augment: AugmentSettings = AugmentSettings()
    model: ModelSettings = ModelSettings()
    training: TrainingSettings = TrainingSettings()
    cross_validation: CrossValidationSettings = CrossValidationSettings()
    evaluation: EvaluationSettings = EvaluationSettings()

    @model_validator(mode="after")
    def noise_needs_standardized_images(self) -> Self:
        """Refuse noise and thinning on any other rescaling: they count in standardized sds."""
        if self.augment.thinning.enabled and self.preprocess.rescale.method != "standardize":
            what = "augment.thinning needs preprocess.rescale.method = 'standardize'"
            raise fault(what, at="augment.thinning")
        noisy = self.augment.noise.rho > 0 or self.augment.noise.rho_max is not None
        if noisy and self.preprocess.rescale.method != "standardize":
            raise fault(
                "augment.noise needs preprocess.rescale.method = 'standardize', as rho is in units "
                f"of the standardized sd; it is '{self.preprocess.rescale.method}'",
                at=f"augment.noise.{'rho' if self.augment.noise.rho > 0 else 'rho_max'}",
            )
        return self
