"""Filters: how a study names a set of images. Knows no catalog and no SQL dialect."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

Scalar = bool | int | float | str | date


class Condition(BaseModel):
    """What a filter demands of one column, when it is more than a plain value or a list."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Near(Condition):
    """Within an absolute distance of a value, the ends included."""

    near: float
    within: Annotated[float, Field(ge=0)]


class Range(Condition):
    """Between two values, the ends included; either end may be left open."""

    min: float | date | None = None
    max: float | date | None = None

    @model_validator(mode="after")
    def at_least_one_end(self) -> Self:
        """Refuse a range without ends."""
        if self.min is None and self.max is None:
            raise ValueError("a range needs min, max or both")
        return self


class Not(Condition):
    """Anything but this value, or none of these values; an unknown value passes."""

    not_: Scalar | tuple[Scalar, ...] = Field(alias="not")


class Like(Condition):
    """Text of a pattern, as in SQL: % is any text, _ any character."""

    like: str


def _form(value: Any) -> str | None:
    """Which form of filter a value is meant to be; None if it is none of them."""
    if isinstance(value, Condition):
        return type(value).__name__.lower()
    if isinstance(value, Mapping):
        forms = {"near": "near", "within": "near", "min": "range", "max": "range"}
        forms |= {"not": "not", "like": "like"}
        return next((forms[key] for key in value if key in forms), None)
    if isinstance(value, list | tuple):
        return "list"
    return "scalar" if isinstance(value, bool | int | float | str | date) else None


ColumnFilter = Annotated[
    Annotated[Scalar, Tag("scalar")]
    | Annotated[tuple[Scalar, ...], Tag("list"), Field(min_length=1)]
    | Annotated[Near, Tag("near")]
    | Annotated[Range, Tag("range")]
    | Annotated[Not, Tag("not")]
    | Annotated[Like, Tag("like")],
    Discriminator(
        _form,
        custom_error_type="filter_form",
        custom_error_message="expected a value, a list of values, or a table of near and within, "
        "min and max, not, or like",
    ),
]


class DatasetFilter(BaseModel):
    """A named filter: conditions on catalog columns, all of which must hold.

    Every key that is not a field below names a catalog column. A plain value means equal (floats to
    1e-6 relative), a list any of, a table is one of near/within, min/max, not, like.
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, ColumnFilter] = Field(init=False)

    collection: str | None = Field(None, description="Collection; default: the study's own.")
    label: Literal["drawn", "exact"] = Field(
        "drawn", description="Which label: drawn by hand, or exact (twin images only)."
    )
    sql: str | None = Field(None, description="One boolean SQL expression on catalog columns.")

    @property
    def columns(self) -> dict[str, ColumnFilter]:
        """The conditions by column name, as the user wrote them."""
        return dict(self.__pydantic_extra__ or {})

    def written(self) -> dict[str, Any]:
        """The filter as plain values, without what is default: for records and reports."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
