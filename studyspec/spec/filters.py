"""Filters: how a study names a set of images. Knows no catalog and no SQL dialect."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

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


ColumnFilter = Scalar | tuple[Scalar, ...] | Near | Range | Not | Like


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
