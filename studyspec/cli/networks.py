"""The command on foreign networks: convert."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Foreign networks, trained elsewhere.", no_args_is_help=True)
SHOWN_HASH = 12


@app.callback()
def _group() -> None:
    """Foreign networks, trained elsewhere."""


@app.command()
def convert(
    files: Annotated[list[Path], typer.Argument(help="Pickled weights (.h5, .pt, .pth).")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder; default: beside each file.")
    ] = None,
) -> None:
    """Turn pickled weights of the residual U-Net into safetensors, without running what is in them.

    Example: studyspec networks convert published/*.h5 --output networks
    """
    from studyspec import api

    for file in files:
        made = api.networks.convert(file, output)
        typer.echo(f"{made.path}  {made.sha256[:SHOWN_HASH]}")
