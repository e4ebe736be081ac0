"""The command that compares two training sets on one test set."""

from __future__ import annotations

from typing import Annotated

import typer

from studyspec.cli import options
from studyspec.cli.tables import table


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(compare)


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A training set, or a network.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another.")],
    on: Annotated[str, typer.Option("--on", metavar="C", help="The test set.")],
    study: Annotated[
        str | None, typer.Option("--study", help="Name of the study, if several have them.")
    ] = None,
    profile: options.Profile = None,
    variant: Annotated[str, typer.Option("--variant", help="Variant of both.")] = "base",
    metric: Annotated[str, typer.Option("--metric", help="What to compare.")] = "dice",
    results: options.AnyResults = options.RESULTS,
) -> None:
    """Which of two networks is better on a test set, by how much, and how sure is that?

    Example: studyspec compare Au Ag --on CdSe
    """
    from studyspec import api

    scope = api.Scope(study, profile, variant, metric)
    found = api.compare(first, second, on, scope, results)
    rows = [[name, on, mean] for name, mean in zip((first, second), found.means, strict=True)]
    typer.echo(table(["train", "test", metric], rows))
    typer.echo(f"\n{found.text}")
