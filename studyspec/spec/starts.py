"""Starts: what a training starts from in place of fresh weights. Knows no other setting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from studyspec.plugins.settings import Settings, fault
from studyspec.spec.names import BASE, SetName

if TYPE_CHECKING:
    from studyspec.spec.sections import StageSettings

FRESH: Literal["none"] = "none"
SUFFIX = ".safetensors"
FORMS = f"a table of train and variant or of weights, or '{FRESH}'"


class StartSettings(Settings):
    """What a training starts from: a network of this study, or a file of weights."""

    train: SetName | None = Field(
        None,
        description="Training set of a network of this study; each fold starts from the same fold.",
        examples=["twin"],
    )
    variant: str = Field(
        BASE, min_length=1, description="Variant of that network.", examples=[BASE]
    )
    weights: str | None = Field(
        None,
        description="Instead: a file of the same architecture, relative to the project root.",
        examples=["networks/pretrained.safetensors"],
    )

    @model_validator(mode="after")
    def of_one_kind(self) -> Self:
        """Refuse both kinds and neither, and files that hold more than weights."""
        if (self.train is None) == (self.weights is None):
            raise fault("give train (and variant) or weights, one of the two")
        if self.weights is not None and not self.weights.endswith(SUFFIX):
            raise fault(f"expected a file of weights, *{SUFFIX}", at="weights")
        if self.weights is not None and self.variant != BASE:
            raise fault("weights are of no variant: leave it out", at="variant")
        return self


def _form(value: object) -> str | None:
    if isinstance(value, Mapping | StartSettings):
        return "<start>"
    return "<fresh>" if value == FRESH else None


Start = Annotated[
    Annotated[StartSettings, Tag("<start>")] | Annotated[Literal["none"], Tag("<fresh>")],
    Discriminator(_form, custom_error_type="start_form", custom_error_message=f"expected {FORMS}"),
]


def start_of(settings: StageSettings) -> StartSettings | None:
    """What the networks of these settings start from; None: from fresh weights."""
    start = settings.training.start_from
    return start if isinstance(start, StartSettings) else None
