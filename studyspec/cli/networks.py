"""The command on networks of others: convert."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Networks of others.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Networks of others."""


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
    from studyspec.learn.conversion import convert as convert_file

    for file in files:
        folder = output or file.parent
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{file.stem}.safetensors"
        typer.echo(f"{target}  {convert_file(file, target)[:12]}")
