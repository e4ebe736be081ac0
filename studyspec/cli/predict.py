"""The command that applies a network to unlabelled images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from studyspec.cli import options

if TYPE_CHECKING:
    from studyspec.api.networks import PredictedMask


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(predict)


def predict(
    network: Annotated[Path, typer.Argument(help="A network: .safetensors, .pt or .onnx.")],
    images: Annotated[list[Path], typer.Argument(help="Images: dm3, dm4, tif, mrc, png, npy.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the masks (png, 0 and 255).")
    ] = Path("masks"),
    also: Annotated[
        list[Path] | None,
        typer.Option("--also", help="Further networks, such as the other folds; repeatable."),
    ] = None,
    device: Annotated[str, typer.Option("--device", help="cpu, cuda:0, ...")] = "cpu",
    trust: options.Trust = False,
) -> None:
    """Write a mask for each image: where does the network see particles?

    With --also the mask is where the networks' mean probability exceeds one half, and the mean dice
    of each two of them is told: where networks disagree, none should be trusted.

    Example: studyspec predict results/artifacts/networks/NETWORK.safetensors new/*.dm3
    """
    from studyspec import api

    def tell(mask: PredictedMask) -> None:
        agreed = "" if mask.agreement is None else f", agreement {mask.agreement:.3f}"
        typer.echo(f"{mask.path}  {100 * mask.particle:.1f} % particle{agreed}")

    api.predict([network, *(also or ())], images, output, device, tell, trust)
