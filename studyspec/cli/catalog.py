"""The commands on catalogs: ls, add, fetch, verify, build."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studyspec.cli import options
from studyspec.cli.tables import table

FAILED = 1
DEFAULT = Path("data_catalog.parquet")

app = typer.Typer(
    help="Catalogs: which images there are, and bringing them here.", no_args_is_help=True
)
CatalogFile = Annotated[Path, typer.Option("--catalog", help="Catalog file.")]


@app.command()
def ls(
    catalog: CatalogFile = DEFAULT,
    collection: Annotated[str | None, typer.Option("--collection", help="Only this one.")] = None,
) -> None:
    """List the conditions in a catalog, with the number of images of each.

    Example: studyspec catalog ls --collection twin
    """
    from collections import Counter

    from studyspec.catalog.table import Catalog

    names = (
        "collection",
        "material",
        "diameter_nm",
        "support",
        "pixel_scale_nm",
        "dose_e_per_A2",
        "session",
    )
    rows = Catalog.open(catalog).rows
    counts = Counter(
        tuple(getattr(row, name) for name in names)
        for row in rows
        if collection in (None, row.collection)
    )
    lines = [
        [f"{value:g}" if isinstance(value, float) else value for value in key] + [n]
        for key, n in counts.items()
    ]
    typer.echo(table([*names, "images"], lines))


@app.command()
def add(
    folder: Annotated[Path, typer.Argument(help="Folder of images and labels.")],
    metadata: Annotated[
        Path, typer.Option("--metadata", help="CSV: image, label, and any columns.")
    ],
    catalog: CatalogFile = DEFAULT,
    collection: Annotated[
        str, typer.Option("--collection", help="Name of the collection.")
    ] = "mine",
) -> None:
    """Make or extend a catalog from your own images; every column of the CSV can be filtered on.

    Example: studyspec catalog add images --metadata images/metadata.csv --collection mine
    """
    from studyspec.catalog.add import add as add_images

    report = add_images(folder, metadata, catalog, collection)
    for note in report.notes:
        typer.echo(f"note: {note}", err=True)
    typer.echo(
        f"{catalog}: {report.added} added, {report.replaced} replaced, {report.unchanged} unchanged"
    )


@app.command()
def fetch(
    study: options.Study,
    profile: options.Profile = None,
    cache: options.Cache = None,
    base_address: options.BaseAddress = None,
) -> None:
    """Fetch the images and labels of a study that are not here yet, and pin their hashes.

    Example: studyspec catalog fetch studies/material.toml --profile paper
    """
    from studyspec import api
    from studyspec.cli.progress import Progress

    checked = api.check(study, profile, options.workplace(None, cache, base_address))
    n = len(checked.unfetched)
    with Progress() as progress:
        api.fetch(checked, progress.fetching)
    typer.echo(f"{n} files fetched" if n else "every file is here")


@app.command()
def verify(
    catalog: CatalogFile = DEFAULT,
    cache: options.Cache = None,
    base_address: options.BaseAddress = None,
) -> None:
    """Compare every file that is here with its pin.

    Example: studyspec catalog verify
    """
    from studyspec.catalog.verify import verify as verify_files

    place = options.workplace(None, cache, base_address)
    found = verify_files(catalog, place.cache_folder(), base_address)
    typer.echo(f"{found.intact} intact, {len(found.wrong)} wrong, {found.absent} not here")
    for text in found.wrong:
        typer.echo(f"wrong: {text}", err=True)
    if found.wrong:
        raise typer.Exit(FAILED)


@app.command()
def build(
    output: Annotated[Path, typer.Option("--output", "-o", help="Catalog file.")] = DEFAULT,
) -> None:
    """Build the catalog of the published images and of their twin, byte for byte.

    Example: studyspec catalog build
    """
    from studyspec.catalog.build import build as build_catalog

    typer.echo(f"{output}: {build_catalog(output)} images")
