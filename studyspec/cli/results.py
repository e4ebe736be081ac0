"""The commands on the store: sql, ingest, clean, and the schema of study files."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from studyspec.cli import options
from studyspec.cli.completion import STDOUT, SqlCommand, queries
from studyspec.cli.progress import waiting
from studyspec.cli.tables import table

if TYPE_CHECKING:
    from studyspec.api import Limits

ALL_NAMES = "@"


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(cls=SqlCommand)(sql)
    for command in (ingest, clean, schema):
        app.command()(command)


def sql(
    query: Annotated[
        str | None,
        typer.Argument(help="One SQL statement, or @NAME.", autocompletion=queries),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Write the rows as CSV; alone or -: to stdout.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write them as JSON; alone or -: to stdout.")
    ] = None,
    parquet: Annotated[
        Path | None, typer.Option("--parquet", help="Write as Parquet; alone or -: to stdout.")
    ] = None,
    seconds: Annotated[
        float, typer.Option("--time-limit", min=0.1, help="Longest time of a query [s].")
    ] = 600.0,
    memory_GB: Annotated[
        float, typer.Option("--memory-limit", min=0.05, help="Most memory of a query [GB].")
    ] = 4.0,
    results: options.AnyResults = options.RESULTS,
) -> None:
    """Ask the store, read-only, also while a run goes on; without a query, a prompt.

    "@" lists queries that have names; "@matrix" asks one of them.

    Example: studyspec sql "select train, test, dice_mean from matrix order by all"
    """
    from studyspec import api
    from studyspec.cli.prompt import prompt

    limits = api.Limits(seconds, memory_GB)
    if query is None:
        prompt(results, lambda statement: _answer(statement, results, limits))
        return
    if csv is None and json_file is None and parquet is None:
        _answer(query, results, limits)
        return
    answer = api.sql(query, results, limits)
    files = (
        (csv, answer.write_csv),
        (json_file, answer.write_json),
        (parquet, answer.write_parquet),
    )
    for path, write in files:
        if path == Path(STDOUT):
            _to_stdout(write)
        elif path is not None:
            write(path)
            typer.echo(f"{len(answer.rows)} rows in {path}", err=True)


def ingest(
    results: options.AnyResults = options.RESULTS,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make the whole database anew from the records.")
    ] = False,
) -> None:
    """Bring the database up to date with the records (also after copying records here).

    Example: studyspec ingest --results results --rebuild
    """
    from studyspec import api

    with waiting("reading records"):
        n = api.ingest(results, rebuild)
    typer.echo(f"{n} records")


def clean(
    results: options.AnyResults = options.RESULTS,
    networks: Annotated[
        bool, typer.Option("--networks", help="Delete the networks' weights too.")
    ] = False,
) -> None:
    """Delete what can be made again: rendered images, patches, checkpoints; records stay.

    Example: studyspec clean --networks
    """
    from studyspec import api

    typer.echo(f"{api.clean(results, networks) / 1e6:.1f} MB freed")


def schema() -> None:
    """Print the JSON Schema of study files, for editors.

    Example: studyspec schema > study.schema.json
    """
    from studyspec import api

    typer.echo(json.dumps(api.schema(), indent=2))


def _to_stdout(write: Callable[[Path], None]) -> None:
    """The bytes of a file, without the file."""
    with tempfile.TemporaryDirectory(prefix="studyspec-") as folder:
        path = Path(folder) / "answer"
        write(path)
        sys.stdout.buffer.write(path.read_bytes())
        sys.stdout.buffer.flush()


def _answer(query: str, results: Path, limits: Limits) -> None:
    """Print the answer to a question; all names of queries, if it is a bare @."""
    from studyspec import api

    if query.strip() == ALL_NAMES:
        typer.echo(table(["query", "tells"], list(api.named_queries().items())))
        return
    answer = api.sql(query, results, limits)
    typer.echo(table(answer.columns, answer.rows))
