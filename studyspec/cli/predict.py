"""The command that applies a network to unlabelled images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(predict)


def predict(
    network: Annotated[Path, typer.Argument(help="Weights (.safetensors) of a network.")],
    images: Annotated[list[Path], typer.Argument(help="Images: dm3, dm4, tif, mrc, png, npy.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the masks (png, 0 and 255).")
    ] = Path("masks"),
    device: Annotated[str, typer.Option("--device", help="cpu, cuda:0, ...")] = "cpu",
) -> None:
    """Write a mask for each image: where does the network see particles?

    Example: studyspec predict results/artifacts/networks/NETWORK.safetensors new/*.dm3
    """
    from studyspec.run.prediction import predict_files

    for mask, share in predict_files(network, images, output, device):
        typer.echo(f"{mask}  {100 * share:.1f} % particle")
