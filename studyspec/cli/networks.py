"""The commands on networks: which there are, and converting those trained elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from studyspec.cli import options
from studyspec.cli.options import NetworkFolders
from studyspec.cli.tables import table
from studyspec.errors import StudySpecError

app = typer.Typer(help="Networks: which there are; those trained elsewhere.", no_args_is_help=True)
SHOWN_HASH = 12
FAILED, WRONG = 1, 2


@app.callback()
def _group() -> None:
    """Networks: which there are; those trained elsewhere."""


@app.command("ls")
def list_networks(
    folders: NetworkFolders = None,
    results: options.AnyResults = options.RESULTS,
    as_json: options.Json = False,
) -> None:
    """The networks that there are: those that studies trained, and released ones in folders.

    Example: studyspec networks ls --networks published
    """
    from studyspec import api

    found = api.networks.listed(results, folders or api.NETWORK_FOLDERS)
    if as_json:
        typer.echo(json.dumps([vars(one) for one in found], indent=2))
        return
    rows = [[one.name, one.conditions, one.sha256[:SHOWN_HASH], one.file] for one in found]
    typer.echo(table(["network", "trained on", "hash", "file"], rows))


@app.command()
def convert(
    files: Annotated[
        list[Path], typer.Argument(help="Pickled weights or modules (.h5, .pt, .pth).")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder; default: beside each file.")
    ] = None,
) -> None:
    """Turn pickled weights of the residual U-Net into safetensors, without running what is in them.

    Whole modules, as they were published, are read too. A bad file does not stop the others.

    Example: studyspec networks convert published/*.h5 --output networks
    """
    from studyspec import api

    refused = 0
    for file in files:
        try:
            made = api.networks.convert(file, output)
        except StudySpecError as error:
            refused += 1
            typer.echo(f"error: {error.text}", err=True)
            continue
        typer.echo(f"{made.path}  {made.sha256[:SHOWN_HASH]}  {made.conditions}".rstrip())
    if refused:
        typer.echo(f"{refused} of {len(files)} files were not converted", err=True)
        raise typer.Exit(FAILED if refused < len(files) else WRONG)
