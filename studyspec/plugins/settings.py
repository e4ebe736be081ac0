"""The base of every table of a study file, ours or a plug-in's. Knows no table."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


class Settings(BaseModel):
    """A frozen table that refuses unknown keys and takes no value for another kind of value."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


class Empty(Settings):
    """The table of a plug-in that has nothing to set."""


def fault(what: str, at: str = "") -> PydanticCustomError:
    """What a validator raises: a mistake, and the dotted name below its table to point at."""
    return PydanticCustomError("fault", "{what}", {"what": what, "at": at})
