"""The command that applies a network to unlabelled images."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from studyspec.cli import options
from studyspec.cli.options import NetworkFolders, PixelScale

FAILED = 1


class Form(StrEnum):
    """Formats of masks."""

    TIF = "tif"
    PNG = "png"


class Border(StrEnum):
    """What becomes of particles at a border."""

    EXCLUDE = "exclude"
    INCLUDE = "include"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(predict)


def predict(
    network: Annotated[
        str,
        typer.Argument(help="A network: a file, a released name, material/Au/0, or a hash."),
    ],
    images: Annotated[list[Path], typer.Argument(help="Images: dm3, dm4, tif, mrc, png, npy.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of masks, overlays and tables.")
    ] = Path("masks"),
    also: Annotated[
        list[str] | None,
        typer.Option("--also", help="Further networks, such as the other folds; repeatable."),
    ] = None,
    device: Annotated[
        str, typer.Option("--device", help="cpu, cuda:0, ...; auto: the first GPU if there is one.")
    ] = "auto",
    pixel_scale_nm: PixelScale = None,
    form: Annotated[
        Form, typer.Option("--format", help="Of masks: OME-TIFF with the pixel size, or png.")
    ] = Form.TIF,
    particles: Annotated[
        bool, typer.Option(help="Write overlays and tables of particles, and tell their sizes.")
    ] = True,
    split: Annotated[bool, typer.Option(help="Split touching particles by watershed.")] = True,
    min_area_px: Annotated[
        int, typer.Option("--min-area-px", min=1, help="Smaller things are no particles.")
    ] = 64,
    border: Annotated[
        Border, typer.Option("--border", help="Particles at a border, in the size distribution.")
    ] = Border.EXCLUDE,
    folders: NetworkFolders = None,
    results: options.ResultsFolder = None,
    trust: options.Trust = False,
    tested_on: Annotated[
        list[str] | None,
        typer.Option("--tested-on", help="Test set to correct sizes by; repeatable; default: all."),
    ] = None,
) -> None:
    """Write a mask for each image, and the particles in it: where, how large, how sure?

    With --also the mask is where the networks' mean probability exceeds one half, and the mean dice
    of each two of them is told: where networks disagree, none should be trusted. Beside each mask
    go an overlay and a table; sizes.csv has the size distribution, particles.json how it was made.

    Images are resampled to the pixel scale that the network was trained at.

    Example: studyspec predict material/Au/0 new/*.dm3 --also material/Au/1
    """
    from studyspec import api
    from studyspec.cli.particles import Watch, size_lines

    wanted = api.PredictOptions(
        device=device,
        pixel_scale_nm=pixel_scale_nm,
        form=form.value,
        particles=particles,
        split_touching=split,
        min_area_px=min_area_px,
        border=border.value,
        tested_on=tuple(tested_on or ()),
        workplace=options.workplace(results, trust=trust),
        folders=folders or api.NETWORK_FOLDERS,
    )
    networks = [network, *(also or ())]
    with Watch(len(images)) as watch:
        done = api.predict(networks, images, output, wanted, watch.done, watch.failed)
    if done.sizes is not None:
        typer.echo(size_lines(done.sizes))
        for note in done.sizes.notes:
            typer.echo(f"note: {note}", err=True)
    elif particles and done.images:
        typer.echo("note: no sizes in nm: give --pixel-scale-nm", err=True)
    if done.failed:
        names = ", ".join(str(one.image) for one in done.failed)
        what = f"{len(done.failed)} of {len(images)} images could not be predicted: {names}"
        typer.echo(what, err=True)
        raise typer.Exit(FAILED)
