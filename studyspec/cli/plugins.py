"""The command that lists plug-ins, and the notes on those that were left out."""

from __future__ import annotations

import typer

from studyspec.cli.tables import table


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(plugins)


def plugins() -> None:
    """Which plug-ins are installed, where are they from, and which were left out and why?

    Example: studyspec plugins
    """
    from studyspec import api

    found = api.plugins()
    rows = [[p.kind, p.name, f"{p.package} {p.version}", p.place] for p in found.installed]
    typer.echo(table(["kind", "name", "from", "place"], rows))
    if found.left_out:
        typer.echo()
    for broken in found.left_out:
        typer.echo(broken.text)


def note_left_out() -> None:
    """Tell on stderr of each plug-in that a study could not have for its being left out."""
    from studyspec import api

    for broken in api.left_out():
        typer.echo(f"note: {broken.text}", err=True)
