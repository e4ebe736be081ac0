"""The commands on records: sign, verify."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from studyspec.cli import options
from studyspec.cli.tables import table

app = typer.Typer(help="Records: signing them, and telling whose they are.", no_args_is_help=True)
DOUBTFUL = 1


@app.callback()
def _group() -> None:
    """Records: signing them, and telling whose they are."""


@app.command()
def sign(
    key: Annotated[Path, typer.Option("--key", help="A private SSH key, as ~/.ssh/id_ed25519.")],
    results: options.AnyResults = options.RESULTS,
) -> None:
    """Sign every record that bears no signature yet, by `ssh-keygen -Y sign`.

    Example: studyspec records sign --key ~/.ssh/id_ed25519
    """
    from studyspec import api

    typer.echo(f"{api.records.sign(key, results)} records signed", err=True)


@app.command()
def verify(
    allowed: Annotated[
        Path, typer.Option("--allowed", help="Allowed signers: a name and a public key a line.")
    ],
    results: options.AnyResults = options.RESULTS,
) -> None:
    """Whose are the records? Exit status 1 if one is broken, unsigned, or of somebody unknown.

    Example: studyspec records verify --allowed allowed_signers
    """
    from studyspec import api

    found = api.records.verify(allowed, results)
    counts = Counter((one.standing, one.signer) for one in found)
    rows = [[standing, signer, n] for (standing, signer), n in sorted(counts.items())]
    typer.echo(table(["standing", "signer", "records"], rows))
    for one in found:
        if one.standing == "broken":
            typer.echo(f"broken: {one.record}")
    if any(one.standing != "signed" for one in found):
        raise typer.Exit(DOUBTFUL)
