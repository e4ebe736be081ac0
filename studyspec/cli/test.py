"""The command that scores networks on one's own labelled images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from studyspec.cli import options
from studyspec.cli.options import NetworkFolders, PixelScale
from studyspec.cli.tables import table

if TYPE_CHECKING:
    from studyspec import api

WORST = 10
FAILED, INTERRUPTED = 1, 130
Networks = Annotated[
    list[str],
    typer.Argument(
        help="Networks: files or folders of them, released names, what they were trained on "
        "(material/Au/0), hashes.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("test")(score)


def score(
    networks: Networks,
    on: Annotated[
        str,
        typer.Option(
            "--on",
            help="Folder of images and labels, or STUDY.toml:DATASET, or CATALOG:COLLECTION.",
            show_default=False,
        ),
    ],
    pixel_scale_nm: PixelScale = None,
    folders: NetworkFolders = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The page; default: in results/reports.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Workers; default: one per core or GPU.")
    ] = None,
    results: options.ResultsFolder = None,
    cache: options.Cache = None,
    trust: options.Trust = False,
    as_json: options.Json = False,
) -> None:
    """Score networks on your own labelled images: which of them can be trusted there?

    Each image is resampled to the scale that the network was trained at. Nothing is trained, and
    what is known is not done again.

    Example: studyspec test material/Au networks/theirs.safetensors --on images
    """
    from studyspec import api
    from studyspec.cli.progress import Progress

    place = options.workplace(results, cache, trust=trust)
    how = api.Options(workers=workers)
    try:
        with Progress() as progress:
            scored = api.test(
                networks, on, place, pixel_scale_nm, folders or api.NETWORK_FOLDERS, how, progress,
                output,
            )  # fmt: skip
    except KeyboardInterrupt:
        typer.echo("interrupted; the same command goes on from here", err=True)
        raise typer.Exit(INTERRUPTED) from None
    typer.echo(json.dumps(_json(scored), indent=2) if as_json else _text(scored))
    for note in (*scored.notes, *scored.left_out):
        typer.echo(f"note: {note}", err=True)
    typer.echo(f"page: {scored.page}", err=True)
    if scored.summary.failed or scored.summary.blocked:
        progress.summary(scored.summary)
        raise typer.Exit(FAILED)


def _text(scored: api.Scored) -> str:
    """The networks, and the images that the best of them fails on most."""
    rows = [
        [
            one.network,
            one.conditions,
            one.dice,
            *(one.interval or (None, None)),
            one.n,
            one.whole.false_particles,
            *(_rounded(region.density) for region in (one.whole, one.empty)),
        ]
        for one in scored.networks
    ]
    names = [
        "network",
        "trained on",
        "dice",
        "low",
        "high",
        "images",
        "false",
        "per µm²",
        "where empty",
    ]
    best = scored.networks[0]
    worst = [
        [i.image_id, i.dice, *(i.interval or (None, None)), i.region.false_particles]
        for i in best.images[:WORST]
    ]
    told = [
        table(names, rows),
        "dice: mean over images with particles, 95 % interval; false: particles that nobody "
        "labelled, their number per µm², and that in patches without any",
        "",
        f"worst images of {best.network}",
        table(["image", "dice", "low", "high", "false"], worst),
    ]
    return "\n".join(told)


def _rounded(density: float | None) -> str | None:
    return None if density is None else f"{density:.3g}" if density < 1e3 else f"{density:.0f}"


def _json(scored: api.Scored) -> dict[str, object]:
    return {
        "on": scored.name,
        "study": str(scored.study),
        "page": str(scored.page),
        "left_out": list(scored.left_out),
        "notes": list(scored.notes),
        "networks": [
            {
                "network": one.network,
                "trained_on": one.conditions,
                "dice": one.dice,
                "interval": one.interval,
                "images": one.n,
                "false_particles_per_um2": one.whole.density,
                "false_particles_per_um2_where_empty": one.empty.density,
                "empty_patches": one.empty.patches,
                "missing": list(one.missing),
                "worst_first": [
                    {
                        "image": i.image_id,
                        "dice": i.dice,
                        "interval": i.interval,
                        "false_particles": i.region.false_particles,
                    }
                    for i in one.images
                ],
            }
            for one in scored.networks
        ],
    }
