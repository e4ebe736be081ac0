"""The settings of a study: every table below `[datasets]`, with the paper's values by default.

Owns the tables and what no plug-in owns; knows no files, no torch. Numbers are those of Sytwu,
Rangel DaCosta and Scott (2023) unless a description says so.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from studyspec.plugins.registry import AUGMENTATIONS, METRICS, SCHEDULES, STEPS
from studyspec.plugins.settings import Settings, fault
from studyspec.spec.choices import Chosen, base_name, default_of, one_of, with_plugins
from studyspec.spec.starts import FRESH, Start

PositiveInt = Annotated[int, Field(ge=1)]
PatchEdge = Annotated[int, Field(ge=16, multiple_of=16)]
Split = Literal["train", "validation", "test"]
VALIDATIONS = 10
"""How often a training by steps is validated, unless it says so."""
DihedralForms = Literal["all", "random", "none"]


class PatchSettings(Settings):
    """Cutting of an image into square patches."""

    size: PatchEdge = Field(
        512, description="Edge of a patch [px]; a multiple of 16, as the network halves it 4 times."
    )
    min_particle_px: Annotated[int, Field(ge=0)] = Field(
        400, description="Patches with this many particle pixels or fewer are dropped [px]."
    )
    empty: bool = Field(
        False,
        description="Keep every patch, so that what a network invents where nothing is counts too.",
    )


class PreprocessTables(Settings):
    """What happens to an image before a network sees it: the steps, then the cutting."""

    patch: PatchSettings = PatchSettings()


class AugmentTables(Settings):
    """What happens to training samples on the fly."""

    dihedral: DihedralForms = Field(
        "all",
        description="all: every patch counts in its 8 dihedral forms, in training and validation; "
        "random: one random form per epoch; none: as it is.",
    )


class EvaluationTables(Settings):
    """How a network is tested; a metric over pixels is asked for by its table."""

    dihedral: bool = Field(True, description="Score every patch in its 8 dihedral forms.")
    patch_size: PatchEdge | None = Field(
        None,
        description="Edge of the patches that are tested on [px]; default: preprocess.patch.size. "
        "One that touches what the network may not be shown is left out.",
        examples=[1024],
    )
    precision: Literal["float32", "auto"] = Field(
        "float32",
        description="auto: bfloat16 where the hardware has it; sooner, and a few pixels in a "
        "thousand change sides.",
    )
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


if TYPE_CHECKING:
    # Their keys depend on what is installed; code asks a plug-in's own settings, not these.
    PreprocessSettings = PreprocessTables
    AugmentSettings = AugmentTables
    EvaluationSettings = EvaluationTables
    ModelSettings = Chosen
    LossSettings = Chosen
    ScheduleSettings = Chosen
else:
    PreprocessSettings = with_plugins(PreprocessTables, STEPS)
    AugmentSettings = with_plugins(AugmentTables, AUGMENTATIONS)
    EvaluationSettings = with_plugins(EvaluationTables, METRICS)
    ModelSettings = one_of("model")
    LossSettings = one_of("loss")
    ScheduleSettings = one_of("schedule")


class TrainingNumbers(Settings):
    """How long, in which steps and in which precision a network is trained."""

    epochs: PositiveInt = Field(250, description="Passes over the training patches.")
    steps: PositiveInt | None = Field(
        None,
        description="Instead of epochs: steps of the optimizer, however many patches there are. "
        "What changes one of the two takes the place of the other.",
        examples=[300],
    )
    validate_every: PositiveInt | None = Field(
        None,
        description="With steps: validate after this many, and after the last; default: ten times "
        "in all.",
        examples=[30],
    )
    patience: PositiveInt | None = Field(
        None,
        description="Stop early: after this many validations in a row that were no better than the "
        "best. For a rate that stays or falls slowly; default: never.",
        examples=[20],
    )
    batch_size: PositiveInt = Field(32, description="Samples per optimizer step.")
    crops: Literal["grid", "random"] = Field(
        "grid",
        description="grid: each patch as it was cut; random: moved to a random place each time, "
        "within the patches of its image that are trained on.",
    )
    micro_batch: PositiveInt | None = Field(
        None,
        description="Samples held in memory at once (gradients are accumulated); default: a whole "
        "batch. Part of the identity: batch norm sees it.",
    )
    learning_rate: float = Field(
        1e-4, gt=0, description="Step size of the optimizer, at the peak of its schedule."
    )
    optimizer: Literal["adam", "adamw"] = Field(
        "adam", description="adam (published), or adamw, whose weight decay is its own step."
    )
    weight_decay: float = Field(0.0, ge=0, description="Weight decay of the optimizer.")
    average: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="If given, an exponential moving average of the weights is validated and kept; "
        "the share of the old average at each step.",
        examples=[0.99],
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="auto: bfloat16 where the hardware has it."
    )
    freeze: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        (),
        strict=False,
        description="Parts of the network that stay as they are at the start, statistics of norms "
        "included; named as their weights begin.",
        examples=[["downs"], ["downs.0", "downs.1"]],
    )

    @field_validator("freeze")
    @classmethod
    def in_one_order(cls, freeze: tuple[str, ...]) -> tuple[str, ...]:
        """Each once and sorted: their order decides nothing."""
        return tuple(sorted(set(freeze)))

    @model_validator(mode="after")
    def epochs_or_steps(self) -> Self:
        """Refuse steps beside epochs, and what counts steps that there are not."""
        if self.steps is not None and "epochs" in self.model_fields_set:
            raise fault("give training.epochs or training.steps, not both", at="steps")
        if self.validate_every is not None:
            if self.steps is None:
                raise fault("validate_every needs training.steps", at="validate_every")
            if self.validate_every > self.steps:
                what = f"expected at most training.steps, {self.steps}, got {self.validate_every}"
                raise fault(what, at="validate_every")
        return self

    @model_serializer(mode="wrap")
    def of_one_form(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        """The settings without those of the form that is not given."""
        told: dict[str, object] = dump(self)
        for name in ("epochs",) if self.steps is not None else ("steps", "validate_every"):
            told.pop(name, None)
        return told

    @property
    def every(self) -> int | None:
        """Steps from one validation to the next; None: one pass over the training patches."""
        if self.steps is None:
            return None
        return self.validate_every or math.ceil(self.steps / VALIDATIONS)

    @property
    def validations(self) -> int:
        """How often the network is validated."""
        if self.steps is None or self.every is None:
            return self.epochs
        return math.ceil(self.steps / self.every)


class TrainingSettings(TrainingNumbers):
    """How a network is trained; the weights of the lowest validation loss are kept."""

    loss: LossSettings = Field(
        default_of("loss"),
        description="What is minimized, chosen by its name.",
    )
    schedule: ScheduleSettings = Field(
        default_of("schedule"),
        description="How the learning rate goes, chosen by its name.",
    )
    start_from: Start = Field(
        FRESH,
        description="A network that the training starts from: one of this study, or a file; "
        "none: fresh weights.",
    )

    @model_validator(mode="after")
    def steps_for_its_schedule(self) -> Self:
        """Refuse fewer steps than the schedule needs to go anywhere."""
        name = self.schedule.name
        least = SCHEDULES.get(base_name(name)).least_steps
        if self.steps is not None and self.steps < least:
            what = f"schedule '{name}' needs at least {least} steps, got {self.steps}"
            raise fault(what, at="steps")
        return self


class CrossValidationSettings(Settings):
    """How patches become folds."""

    folds: Annotated[int, Field(ge=2)] = Field(5, description="Number of folds.")
    repeats: int = Field(
        1,
        ge=1,
        le=100,
        description="How often the images are cut into folds anew: repeat r, from 0, adds r to the "
        "seeds, and its folds follow those of the repeat before.",
    )
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

    @property
    def networks(self) -> int:
        """How many networks a training set has: the folds of all repeats."""
        return self.folds * self.repeats


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
    model: ModelSettings = Field(
        default_of("model"),
        description="The network's architecture, chosen by its name.",
    )
    training: TrainingSettings = TrainingSettings()
    cross_validation: CrossValidationSettings = CrossValidationSettings()
    evaluation: EvaluationSettings = EvaluationSettings()

    @model_validator(mode="after")
    def what_augmentations_require(self) -> Self:
        """Refuse an augmentation without what it says that it requires elsewhere."""
        for plugin in AUGMENTATIONS:
            settings = getattr(self.augment, plugin.name, None)
            if settings is None or not plugin.active(settings):
                continue
            for name, (wanted, why) in plugin.requires.items():
                found = _value(self, name)
                if found != wanted:
                    key = next(iter(settings.model_dump(exclude_defaults=True)), "")
                    needed = f"= '{wanted}'" if wanted is not None else "left out"
                    raise fault(
                        f"augment.{plugin.name} needs {name} {needed}, {why}; it is '{found}'",
                        at=f"augment.{plugin.name}" + (f".{key}" if key else ""),
                    )
        return self


def _value(settings: Settings, dotted: str) -> object:
    found: object = settings
    for key in dotted.split("."):
        found = getattr(found, key)
    return found
