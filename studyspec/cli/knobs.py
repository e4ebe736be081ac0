"""Options for knobs: one for each column of the catalog's list, made from it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated

import typer

from studyspec.catalog.columns import KNOBS


def option_of(name: str) -> str:
    """The option of a column: --defocus-nm for defocus_nm."""
    return "--" + name.replace("_", "-").lower()


def with_knobs(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose `**knobs` are options, each of one column and without a default."""
    own = list(inspect.signature(command, eval_str=True).parameters.values())[:-1]
    made = [
        inspect.Parameter(
            column.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[
                str | None,
                typer.Option(option_of(column.name), help=f"{column.meaning} [{column.unit}]."),
            ],
        )
        for column in KNOBS
    ]
    vars(command)["__signature__"] = inspect.Signature([*own, *made])
    return command
