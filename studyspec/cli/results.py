"""The commands on results: sql, ingest, clean, and the schema of study files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from studyspec.cli import options
from studyspec.cli.tables import table

if TYPE_CHECKING:
    from studyspec.store.layout import Results
    from studyspec.store.queries import Table


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (sql, ingest, clean, schema):
        app.command()(command)


def sql(
    query: Annotated[str | None, typer.Argument(help="One SQL statement, or @NAME.")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the rows as CSV.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write them as JSON.")] = None,
    parquet: Annotated[Path | None, typer.Option("--parquet", help="Write as Parquet.")] = None,
    results: options.ResultsFolder = None,
) -> None:
    """Ask the store, read-only, also while a run goes on; without a query, a prompt.

    "@" lists queries that have names; "@matrix" asks one of them.

    Example: studyspec sql "select train, test, dice_mean from matrix order by all"
    """
    from studyspec.cli.prompt import prompt
    from studyspec.store import exports
    from studyspec.store.named import MARK, NAMED
    from studyspec.store.queries import user_query

    place = _results(results)
    if query is None:
        prompt(place, lambda statement: _print(user_query(place, statement)))
        return
    if query.strip() == MARK:
        typer.echo(table(["query", "tells"], [[f"@{n}", q.tells] for n, q in NAMED.items()]))
        return
    answer = user_query(place, query)
    writers = (
        (csv, exports.write_csv),
        (json_file, exports.write_json),
        (parquet, exports.write_parquet),
    )
    for path, write in writers:
        if path is not None:
            write(answer, path)
            typer.echo(f"{len(answer.rows)} rows in {path}", err=True)
    if csv is None and json_file is None and parquet is None:
        _print(answer)


def ingest(
    results: options.ResultsFolder = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make the whole database anew from the records.")
    ] = False,
) -> None:
    """Bring the database up to date with the records (also after copying records here).

    Example: studyspec ingest --results results --rebuild
    """
    from studyspec.store import ingest as ingestion

    place = _results(results)
    count = ingestion.rebuild(place) if rebuild else ingestion.ingest(place)
    typer.echo(f"{count} records")


def clean(
    results: options.ResultsFolder = None,
    everything: Annotated[
        bool, typer.Option("--networks", help="Delete the networks' weights too.")
    ] = False,
) -> None:
    """Delete what can be made again: rendered images, patches, checkpoints; records stay.

    Example: studyspec clean --networks
    """
    from studyspec.errors import RunError
    from studyspec.run.runners import any_alive
    from studyspec.store.cleaning import clean as clean_artifacts

    place = _results(results)
    if any_alive(place):
        raise RunError("a run goes on here", where=str(place.folder), hint="let it end, or stop it")
    freed = clean_artifacts(place, networks=everything)
    typer.echo(f"{freed / 1e6:.1f} MB freed")


def schema() -> None:
    """Print the JSON Schema of study files, for editors.

    Example: studyspec schema > study.schema.json
    """
    from studyspec.spec.schema import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))


def _results(folder: Path | None) -> Results:
    from studyspec.store.layout import Results

    return Results((folder or options.here()).absolute())


def _print(answer: Table) -> None:
    typer.echo(table(answer.columns, answer.rows))
