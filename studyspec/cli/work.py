"""The commands on workers: one by hand beside those that engines start, and stopping them all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studyspec.cli import options


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("work", hidden=True)(work)
    app.command("cancel")(cancel)


def work(
    results: Annotated[Path, typer.Argument(help="Results folder.")],
    device: Annotated[str, typer.Option("--device", help="cpu, cuda:0, ...")] = "cpu",
) -> None:
    """Do the published jobs of a results folder until none is left.

    Example: studyspec work results --device cuda:1
    """
    from studyspec import api

    raise typer.Exit(api.work(results, device))


def cancel(results: options.AnyResults = options.RESULTS) -> None:
    """Stop the workers of a results folder that no run looks after, and take back their jobs.

    Example: studyspec cancel --results results
    """
    from studyspec import api

    done = api.cancel(results)
    typer.echo(f"{done.jobs} jobs taken back, {done.workers} workers stopped", err=True)
