"""The command that computes results once more: verify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from studyspec.cli import options

if TYPE_CHECKING:
    from studyspec.api import Comparison

DIFFERENT = 1
NOTHING = 3


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(verify)


def verify(
    studies: options.Studies,
    sample: Annotated[
        int, typer.Option("--sample", min=1, help="How many tests; doubtful ones all and first.")
    ] = 3,
    trainings: Annotated[
        bool, typer.Option("--trainings", help="Train as many networks anew too.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Draws the sample; default: another each time.")
    ] = None,
    settle: Annotated[
        bool, typer.Option("--settle", help="Move records that differ to results/rejected.")
    ] = False,
    profile: options.Profile = None,
    results: options.ResultsFolder = None,
    cache: options.Cache = None,
) -> None:
    """Compute some results once more, and compare them with what is recorded.

    Exit status 1 if one differs, by more than 0.001 of dice or 5 % of the lowest validation loss.

    Example: studyspec verify studies/material.toml --sample 5
    """
    from studyspec import api

    found = api.verify(
        studies,
        api.Sample(sample, trainings, seed),
        profile,
        options.workplace(results, cache),
        settle,
        lambda one: typer.echo(_line(one)),
    )
    if not found:
        typer.echo("nothing is known yet that could be compared", err=True)
        raise typer.Exit(NOTHING)
    wrong = [one for one in found if one.verdict in ("differs", "failed")]
    typer.echo(f"{len(found) - len(wrong)} of {len(found)} records hold", err=True)
    if wrong:
        raise typer.Exit(DIFFERENT)


def _line(one: Comparison) -> str:
    if one.verdict == "failed":
        return f"failed   {one.job.title}: {one.why}"
    numbers = [
        "none" if value is None else f"{value:.6f}" for value in (one.recorded, one.recomputed)
    ]
    told = f"{one.value} {numbers[0]} recorded, {numbers[1]} now"
    return f"{one.verdict:<8} {one.job.title}: {told} ({one.record})"
