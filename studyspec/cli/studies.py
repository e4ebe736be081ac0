"""The commands that take a study: init, check, plan, run, status, report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from studyspec.cli import options, starter
from studyspec.cli.tables import table

FAILED = 1
INTERRUPTED = 130
MATRIX = {
    "variant": "variant",
    "train": "train",
    "test": "test",
    "folds": "folds",
    "dice_mean": "dice",
    "dice_sd": "sd",
    "normalized": "of own set",
}


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (init, check, plan, run, status, report):
        app.command()(command)


def init(
    folder: Annotated[Path, typer.Argument(help="Folder to make; must be new or empty.")],
) -> None:
    """Make a project: one study on the twin, and the catalog.

    Example: studyspec init my-study
    """
    for path in starter.make_project(folder):
        typer.echo(path)


def check(
    study: options.Study,
    profile: options.Profile = None,
    results: options.ResultsFolder = None,
    cache: options.Cache = None,
    base_address: options.BaseAddress = None,
    as_json: options.Json = False,
) -> None:
    """Is the study valid, and which images does it choose?

    Example: studyspec check studies/material.toml --profile paper
    """
    from studyspec import api

    checked = api.check(study, profile, options.workplace(results, cache, base_address))
    if as_json:
        typer.echo(json.dumps(_checked_json(checked), indent=2))
        return
    rows = [
        [name, len(dataset.images), sum(not image.fetched for image in dataset.images)]
        for name, dataset in checked.datasets.items()
    ]
    typer.echo(table(["dataset", "images", "unfetched"], rows))
    typer.echo()
    pairs = [[variant.name, len(variant.pairs)] for variant in checked.variants]
    typer.echo(table(["variant", "cells"], pairs))


def plan(
    studies: options.Studies,
    profile: options.Profile = None,
    results: options.ResultsFolder = None,
    cache: options.Cache = None,
    base_address: options.BaseAddress = None,
    as_json: options.Json = False,
) -> None:
    """Which jobs does the study imply, which are known, and why are the others not?

    Example: studyspec plan studies/material.toml
    """
    from studyspec import api
    from studyspec.cli.plans import plan_json, plan_text, shared_text

    place = options.workplace(results, cache, base_address)
    plans = [api.plan(path, profile, place) for path in options.study_files(studies)]
    if as_json:
        typer.echo(json.dumps([plan_json(one) for one in plans], indent=2))
        return
    texts = [*(plan_text(one) for one in plans), shared_text(plans)]
    typer.echo("\n\n".join(text for text in texts if text))


def run(
    studies: options.Studies,
    profile: options.Profile = None,
    on: Annotated[str, typer.Option("--on", help="Engine that starts the workers.")] = "local",
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Workers; default: one per core or GPU.")
    ] = None,
    devices: Annotated[
        str | None, typer.Option("--devices", help="Devices, as cuda:0,cuda:1 or cpu.")
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try failed jobs again.")
    ] = False,
    time_limit_minutes: Annotated[
        float | None, typer.Option("--time-limit", min=0.01, help="Time limit of one job [min].")
    ] = None,
    results: options.ResultsFolder = None,
    cache: options.Cache = None,
    base_address: options.BaseAddress = None,
) -> None:
    """Do what is not yet known, and print the matrix. Run and resume are the same command.

    Example: studyspec run studies/material.toml --workers 4
    """
    from studyspec import api
    from studyspec.cli.progress import Progress
    from studyspec.run.runner import Options

    place = options.workplace(results, cache, base_address)
    how = Options(
        engine=on,
        workers=workers,
        devices=tuple(devices.split(",")) if devices else (),
        retry_failed=retry_failed,
        time_limit_s=None if time_limit_minutes is None else 60 * time_limit_minutes,
    )
    files = options.study_files(studies)
    try:
        with Progress() as progress:
            summary = api.run(files, profile, place, how, progress)
    except KeyboardInterrupt:
        typer.echo("interrupted; the same command goes on from here", err=True)
        raise typer.Exit(INTERRUPTED) from None
    for path in files:
        typer.echo(_matrix_text(path, profile, place))
    progress.summary(summary)
    if summary.failed or summary.blocked:
        raise typer.Exit(FAILED)


def status(
    study: Annotated[Path | None, typer.Argument(help="Study file; default: all jobs.")] = None,
    profile: options.Profile = None,
    results: options.ResultsFolder = None,
    cache: options.Cache = None,
    as_json: options.Json = False,
) -> None:
    """What is done, what runs, and what failed with the reason and the path of its log.

    Example: studyspec status studies/material.toml
    """
    from studyspec import api

    state = api.status(study, profile, options.workplace(results, cache))
    if as_json:
        typer.echo(json.dumps(state, indent=2))
        return
    typer.echo(table(["stage", "done", "running", "to do", "failed"], state["stages"]))
    for line in state["running"]:
        typer.echo(f"running: {line}")
    for failure in state["failed"]:
        typer.echo(f"failed: {failure['title']}: {failure['reason']} (log: {failure['log']})")


def report(
    studies: options.Studies,
    profile: options.Profile = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="HTML file; default: results/reports/STUDY.html."),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option("--export", help="Folder: charts as svg, png, pdf; tables as csv, tex."),
    ] = None,
    markdown: Annotated[
        Path | None,
        typer.Option("--markdown", help="File: what came of the studies' claims, in words."),
    ] = None,
    results: options.ResultsFolder = None,
) -> None:
    """Write one offline HTML page: matrix, folds, curves, predictions, datasets, provenance.

    Several studies get a page each and an index, or one page with --output.

    Example: studyspec report studies/material.toml -o material.html
    """
    from studyspec import api

    files, place = options.study_files(studies), options.workplace(results)
    if export is not None:
        for path in api.export(files, export, profile, place):
            typer.echo(path)
    if markdown is not None:
        typer.echo(api.summarize(files, markdown, profile, place))
    if output is not None or (export is None and markdown is None):
        typer.echo(api.report(files, profile, place, output))


def _checked_json(checked: Any) -> dict[str, Any]:
    return {
        "study": checked.loaded.study.study.name,
        "profile": checked.loaded.profile,
        "datasets": {
            name: [image.row.image_id for image in dataset.images]
            for name, dataset in checked.datasets.items()
        },
        "variants": {v.name: [list(pair) for pair in v.pairs] for v in checked.variants},
        "unfetched": list(checked.unfetched),
    }


def _matrix_text(study: Path, profile: str | None, place: Any) -> str:
    from studyspec import api

    rows = api.matrix(study, profile, place)
    cells = [[row[name] for name in MATRIX] for row in rows]
    if not cells:
        return (
            "nothing is trained; the views image_statistics and histograms hold what was measured"
        )
    return table(list(MATRIX.values()), cells) + "\nsd: over the folds, ddof 1"
