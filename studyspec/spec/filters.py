"""Filters: how a study names a set of images. Knows no catalog and no SQL dialect."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from math import isfinite
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from studyspec.plugins.settings import fault

FORMS = "a value, a list of values, or a table of near and within, min and max, not, or like"


def _is_plain(value: object) -> bool:
    if isinstance(value, float):
        return isfinite(value)
    return isinstance(value, bool | int | str | date) and not isinstance(value, datetime)


def _plain(value: object) -> object:
    if _is_plain(value):
        return value
    raise PydanticCustomError("plain", "expected a plain value")


Scalar = Annotated[bool | int | float | str | date, BeforeValidator(_plain)]
Scalars = Annotated[tuple[Scalar, ...], Field(min_length=1, strict=False)]


class Condition(BaseModel):
    """What a filter demands of one column, when it is more than a plain value or a list."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


class Near(Condition):
    """Within an absolute distance of a value, the ends included."""

    near: float = Field(description="The value.", examples=[423])
    within: float = Field(ge=0, description="How far from it at most.", examples=[5])


class Range(Condition):
    """Between two values, the ends included; either end may be left open."""

    min: float | date | None = Field(None, description="The least value.", examples=[80])
    max: float | date | None = Field(None, description="The greatest value.", examples=[423])

    @model_validator(mode="after")
    def two_ends_in_order(self) -> Self:
        """Refuse a range without ends, of a number and a date, or upside down."""
        if self.min is None and self.max is None:
            raise fault("a range needs min, max or both")
        if self.min is None or self.max is None:
            return self
        if isinstance(self.min, date) != isinstance(self.max, date):
            raise fault("min and max are a number and a date: both must be of one kind")
        if self.min > self.max:  # type: ignore[operator]  # both of one kind, as just seen
            raise fault(f"min ({self.min}) is above max ({self.max})")
        return self


class Not(Condition):
    """Anything but this value, or none of these values; an unknown value passes."""

    not_: Scalar | Scalars = Field(
        alias="not", description="What the value is not.", examples=["Au", ["Au", "Ag"]]
    )


class Like(Condition):
    """Text of a pattern, as in SQL: % is any text, _ any character."""

    like: str = Field(description="The pattern.", examples=["2021-%"])


# The tags cannot be mistaken for keys: they stand in the locations of errors.
TAGS = {"near": "<near>", "within": "<near>", "min": "<range>", "max": "<range>"}
TAGS |= {"not": "<not>", "like": "<like>"}


def _form(value: object) -> str | None:
    """Which form of filter a value is meant to be; None if it is none of them."""
    if isinstance(value, Condition):
        return f"<{type(value).__name__.lower()}>"
    if isinstance(value, Mapping):
        return next((TAGS[key] for key in value if key in TAGS), None)
    if isinstance(value, list | tuple):
        return "<list>"
    return "<value>" if _is_plain(value) else None


ColumnFilter = Annotated[
    Annotated[Scalar, Tag("<value>")]
    | Annotated[Scalars, Tag("<list>")]
    | Annotated[Near, Tag("<near>")]
    | Annotated[Range, Tag("<range>")]
    | Annotated[Not, Tag("<not>")]
    | Annotated[Like, Tag("<like>")],
    Discriminator(_form, custom_error_type="filter_form", custom_error_message=f"expected {FORMS}"),
]


class DatasetFilter(BaseModel):
    """A named filter: conditions on catalog columns, all of which must hold, and a draw.

    Every key that is not a field below names a catalog column. A plain value means equal (floats to
    1e-6 relative), a list any of, a table is one of near/within, min/max, not, like.
    """

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False, strict=True)
    __pydantic_extra__: dict[str, ColumnFilter] = Field(init=False)

    collection: str | None = Field(
        None, description="Collection; default: the study's own.", examples=["sytwu-2023"]
    )
    label: Literal["drawn", "exact"] = Field(
        "drawn", description="Which label: drawn by hand, or exact (twin images only)."
    )
    take: int | None = Field(
        None,
        ge=1,
        description="How many of these images are drawn; default: all of them. The same seed draws "
        "the same images, and fewer of them if fewer are wanted.",
        examples=[64],
    )
    take_seed: int = Field(0, ge=0, description="Seed of the draw.")
    sql: str | None = Field(
        None,
        min_length=1,
        description="One boolean SQL expression on catalog columns.",
        examples=["dose_e_per_A2 > 80 and material in ('Au', 'Ag')"],
    )

    @property
    def columns(self) -> dict[str, ColumnFilter]:
        """The conditions by column name, as the user wrote them."""
        return dict(self.__pydantic_extra__ or {})

    def written(self) -> dict[str, object]:
        """The filter as plain values, without what is default: for records and reports."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
