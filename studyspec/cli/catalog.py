"""The commands on catalogs: ls, add, simulate, compare, fetch, verify, build."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from studyspec.cli import options
from studyspec.cli.knobs import option_of, with_knobs
from studyspec.cli.ranges import numbers, numbers_or_distributions
from studyspec.cli.tables import table

if TYPE_CHECKING:
    from studyspec.api.catalog import Comparison

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
    from studyspec import api

    found = api.catalog.conditions(catalog, collection)
    rows = [[f"{v:g}" if isinstance(v, float) else v for v in row] for row in found.rows]
    typer.echo(table(found.columns, rows))


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
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Let new images take the place of others of their names."),
    ] = False,
) -> None:
    """Make or extend a catalog from your own images; every column of the CSV can be filtered on.

    Example: studyspec catalog add images --metadata images/metadata.csv --collection mine
    """
    from studyspec import api

    report = api.catalog.add(folder, metadata, catalog, collection, replace)
    for note in report.notes:
        typer.echo(f"note: {note}", err=True)
    typer.echo(
        f"{catalog}: {report.added} added, {report.replaced} replaced, {report.unchanged} unchanged"
    )


@app.command()
@with_knobs
def simulate(
    diameter_nm: Annotated[str, typer.Option("--diameter-nm", help="Nominal diameter [nm].")],
    material: Annotated[
        str | None,
        typer.Option("--material", help="Au, Ag, Pt, Pd or CdSe; of a structure: its formula."),
    ] = None,
    structure: Annotated[
        Path | None, typer.Option("--structure", help="CIF file of any other crystal.")
    ] = None,
    shape: Annotated[
        str | None,
        typer.Option(
            "--shape",
            help="'smooth sphere', 'truncated octahedron', decahedron, icosahedron or rod; "
            "default: nearly round particles, some twinned, some of several grains.",
        ),
    ] = None,
    dose: Annotated[str, typer.Option("--dose", help="Dose [e/Å^2].")] = "423",
    pixel_scale_nm: Annotated[
        str, typer.Option("--pixel-scale-nm", help="Edge of a pixel [nm].")
    ] = "0.02",
    support: Annotated[
        str, typer.Option("--support", help="'ultrathin carbon' or 'silicon nitride'.")
    ] = "ultrathin carbon",
    session: Annotated[
        str, typer.Option("--session", help="A day's focus and illumination follow from its name.")
    ] = "simulated",
    voltage_kv: Annotated[str, typer.Option("--voltage-kv", help="Voltage [kV].")] = "300",
    width_px: Annotated[
        int | None,
        typer.Option("--width-px", help="Edge of an image [px]; default: three particles across."),
    ] = None,
    camera: Annotated[
        str | None,
        typer.Option("--camera", help="Gatan OneView (the default), Gatan K3, CCD or ideal."),
    ] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="How many images of each condition.")] = 12,
    catalog: CatalogFile = DEFAULT,
    **knobs: str | None,
) -> None:
    """Add simulated images of conditions that nobody has measured; a run renders them.

    Every number may be a list, A,B,C, or a range, FROM..TO/STEP; several make a grid. Dose, voltage
    and what a microscope is set to may be "normal(MEAN, SD)" or "uniform(LEAST, MOST)": another
    number in each image, written into its row. What is not given, the twin has itself.

    Example: studyspec catalog simulate --material Pt --diameter-nm 3 --defocus-nm=-25..25/5 -n 20
    """
    from studyspec import api

    imaging = api.catalog.Imaging(
        numbers_or_distributions(dose, "--dose"),
        numbers(pixel_scale_nm, "--pixel-scale-nm"),
        support,
        session,
        numbers_or_distributions(voltage_kv, "--voltage-kv"),
        width_px,
        _words(camera),
        _words(shape),
        **{
            name: numbers_or_distributions(text, option_of(name))
            for name, text in knobs.items()
            if text is not None
        },
    )
    diameters = numbers(diameter_nm, "--diameter-nm")
    rows = api.catalog.simulate(material, diameters, imaging, n, catalog, structure)
    typer.echo(f"{catalog}: {len(rows)} images added, {rows[0].image_id} to {rows[-1].image_id}")
    widths = sorted({row.width_px or 0 for row in rows})
    typer.echo(f"each is {' or '.join(map(str, widths))} px wide", err=True)


def _words(text: str | None) -> list[str] | None:
    return None if text is None else [one.strip() for one in text.split(",")]


@app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="A collection.", show_default=False)],
    second: Annotated[str, typer.Argument(metavar="B", help="Another.", show_default=False)],
    catalog: CatalogFile = DEFAULT,
    images: Annotated[
        int, typer.Option("--images", min=1, help="At most so many of each condition.")
    ] = 4,
    everything: Annotated[
        bool, typer.Option("--all", help="Also conditions that only one of them has.")
    ] = False,
    patch: Annotated[int, typer.Option("--patch", min=16, help="Edge of a patch [px].")] = 512,
    cache: options.Cache = None,
    base_address: options.BaseAddress = None,
) -> None:
    """Compare the images of two collections: contrast, roughness, histogram, power spectrum.

    Images are prepared as the paper does. Each condition has a line for A, one for B and one for
    B / A; power is the share in a band [cycles per pixel].

    Example: studyspec catalog compare mine twin
    """
    from studyspec import api
    from studyspec.cli.progress import Progress

    extent = api.catalog.Extent(images, everything, patch)
    place = options.workplace(None, cache, base_address)
    with Progress() as progress:
        found = api.catalog.compare(first, second, catalog, extent, place, progress.measuring)
    typer.echo(_comparison(found))


@app.command()
def fetch(
    study: options.Study,
    profile: options.Profile = None,
    cache: options.Cache = None,
    base_address: options.BaseAddress = None,
    allow_http: options.AllowHttp = False,
) -> None:
    """Fetch the images and labels of a study that are not here yet, and pin their hashes.

    Example: studyspec catalog fetch studies/material.toml --profile paper
    """
    from studyspec import api
    from studyspec.cli.progress import Progress

    place = options.workplace(None, cache, base_address, allow_http, trust=True)
    with Progress() as progress:
        n = api.catalog.fetch(study, profile, place, progress.fetching)
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
    from studyspec import api

    found = api.catalog.verify(catalog, options.workplace(None, cache, base_address))
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
    from studyspec import api

    typer.echo(f"{output}: {api.catalog.build(output)} images")


def _comparison(found: Comparison) -> str:
    """A line for each collection under each condition, and one for their ratio."""
    lines: list[list[object]] = []
    first, second = found.names
    for one in found.compared:
        for name, n, values in zip(found.names, one.images, one.values, strict=True):
            lines.append([*one.condition, name, n, *(values or [None] * len(found.statistics))])
        lines.append([*one.condition, f"{second} / {first}", None, *one.ratios])
    shown = [[f"{v:.3g}" if isinstance(v, float) else v for v in line] for line in lines]
    return table([*found.condition, "collection", "images", *found.statistics], shown)
