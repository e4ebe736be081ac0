"""Search: which settings to look for, on which datasets, with how many trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from studyspec.plugins.settings import Settings, fault
from studyspec.spec.dotted import setting_names, with_values
from studyspec.spec.names import DatasetName, VariantName
from studyspec.spec.sections import StageSettings
from studyspec.spec.wording import nearest

CHOICES = (list, tuple)


class SearchRange(Settings):
    """Numbers from `low` to `high`, both included."""

    low: float = Field(description="Least value.", examples=[1e-6])
    high: float = Field(description="Largest value.", examples=[1e-2])
    log: bool = Field(False, description="Drawn evenly in the logarithm.")
    step: float | None = Field(
        None, gt=0, description="Distance of the values; whole numbers make whole numbers."
    )

    @model_validator(mode="after")
    def in_order(self) -> Self:
        """Refuse an empty range, and one that cannot be logarithmic."""
        if self.low >= self.high:
            raise fault("low must be less than high", at="high")
        if self.log and (self.low <= 0 or self.step is not None):
            raise fault("log = true needs low > 0 and no step", at="log")
        return self

    @property
    def whole(self) -> bool:
        """Whether its values are whole numbers."""
        return self.step is not None and all(
            float(value).is_integer() for value in (self.low, self.high, self.step)
        )


Space = Annotated[list[object], Field(min_length=2)] | SearchRange


class SearchSettings(Settings):
    """A search for settings. Trials are trained on fold 0 of datasets that no network is tested on.

    The trial of the lowest validation loss, averaged over the datasets, becomes a variant.
    """

    space: dict[str, Space] = Field(
        min_length=1,
        description="Settings by dotted name: a list of values, or a range.",
        examples=[{"training.learning_rate": {"low": 1e-6, "high": 1e-2, "log": True}}],
    )
    datasets: tuple[DatasetName, ...] = Field(
        strict=False,
        min_length=1,
        description="Datasets to train trials on; they may not be tested on.",
        examples=[["tuning"]],
    )
    sampler: Literal["tpe", "random", "grid"] = Field(
        "tpe", description="How trials are chosen (Optuna); grid tries every combination of lists."
    )
    trials: Annotated[int, Field(ge=1)] = Field(20, description="How many trials.")
    batch: Annotated[int, Field(ge=1)] = Field(
        4, description="Trials that are trained at once; the next are chosen from their results."
    )
    seed: int = Field(
        0, ge=0, description="Of the choices: the same seed asks for the same trials."
    )
    epochs: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Epochs of a trial; default: as long as in [training]."
    )
    variant: VariantName = Field("found", description="Name of the variant with the best settings.")

    @model_validator(mode="after")
    def of_known_settings(self) -> Self:
        """Refuse settings that there are not, and values that they cannot take."""
        for name, space in self.space.items():
            if name not in setting_names():
                raise fault(f"unknown setting '{name}'; {nearest(name, setting_names())}", "space")
            if self.sampler == "grid" and isinstance(space, SearchRange):
                raise fault(f"sampler = 'grid' needs a list for '{name}'", at="space")
            for value in _ends(space):
                try:
                    with_settings(StageSettings(), {name: value})
                except ValidationError as error:
                    what = error.errors()[0]["msg"]
                    raise fault(f"'{name}' cannot be {value}: {what}", at="space") from None
        return self


def with_settings(base: StageSettings, values: Mapping[str, object]) -> StageSettings:
    """The settings with these values, by dotted name.

    Raises
    ------
    pydantic.ValidationError
        If they do not fit together.
    """
    return StageSettings.model_validate(with_values(base.model_dump(mode="json"), values))


def _ends(space: list[object] | SearchRange) -> Sequence[object]:
    if not isinstance(space, SearchRange):
        return space
    ends = [space.low, space.high]
    return [int(end) for end in ends] if space.whole else ends
