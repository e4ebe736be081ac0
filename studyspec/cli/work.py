"""The command that adds a worker by hand to those that engines start."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("work", hidden=True)(work)


def work(
    results: Annotated[Path, typer.Argument(help="Results folder.")],
    device: Annotated[str, typer.Option("--device", help="cpu, cuda:0, ...")] = "cpu",
) -> None:
    """Do the published jobs of a results folder until none is left.

    Example: studyspec work results --device cuda:1
    """
    from studyspec import api

    raise typer.Exit(api.work(results, device))
