"""The commands that take a study: init, check, plan, run, status, report."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from studyspec.cli import options
from studyspec.cli.plugins import note_left_out
from studyspec.cli.progress import waiting
from studyspec.cli.tables import table

if TYPE_CHECKING:
    from studyspec.api import CheckedStudy, Standing, UntilDecided, Workplace

FAILED = 1
INTERRUPTED = 130


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
    from studyspec import api

    study, *others = api.init(folder)
    for path in (study, *others):
        typer.echo(path)
    typer.echo(f"next: studyspec run {study}", err=True)


def check(
    studies: options.Studies,
    profile: options.Profile = None,
    results: options.ResultsFolder = None,
    cache: options.Cache = None,
    base_address: options.BaseAddress = None,
    trust: options.Trust = False,
    max_jobs: options.MaxJobs = options.MOST_JOBS,
    as_json: options.Json = False,
) -> None:
    """Are the studies valid, and which images do they choose?

    Example: studyspec check studies/material.toml --profile paper
    """
    from studyspec import api

    note_left_out()
    place = options.workplace(results, cache, base_address, trust=trust, max_jobs=max_jobs)
    files = api.study_files(studies)
    with waiting("looking at the images"):
        found = [api.check(path, profile, place) for path in files]
    if as_json:
        told = [_checked_json(checked) for checked in found]
        typer.echo(json.dumps(told if len(told) > 1 else told[0], indent=2))
        return
    for number, checked in enumerate(found):
        if len(found) > 1:
            typer.echo(f"{'' if number == 0 else chr(10)}{checked.loaded.path}: {checked.name}")
        _tell_checked(checked)


def _tell_checked(checked: CheckedStudy) -> None:
    """Datasets, variants, and images that are there twice."""
    rows = [
        [name, len(dataset.images), sum(not image.fetched for image in dataset.images)]
        for name, dataset in checked.datasets.items()
    ]
    typer.echo(table(["dataset", "images", "unfetched"], rows))
    typer.echo()
    pairs = [[variant.name, len(variant.pairs)] for variant in checked.variants]
    typer.echo(table(["variant", "cells"], pairs))
    for warning in checked.warnings:
        typer.echo(f"warning: {warning}", err=True)
    for same in checked.doubles:
        typer.echo(f"one image under {len(same)} names, kept in one part of each fold: {same[0]}")
        for name in same[1:]:
            typer.echo(f"  {name}")


def plan(
    studies: options.Studies,
    profile: options.Profile = None,
    power: Annotated[
        bool,
        typer.Option("--power", help="How sharp will the answer to each claim be?"),
    ] = False,
    results: options.ResultsFolder = None,
    cache: options.Cache = None,
    base_address: options.BaseAddress = None,
    trust: options.Trust = False,
    max_jobs: options.MaxJobs = options.MOST_JOBS,
    as_json: options.Json = False,
) -> None:
    """Which jobs does the study imply, which are known, and why are the others not?

    With --power: how wide will the interval of each claim be, and how many micrographs or folds
    would decide it?

    Example: studyspec plan studies/material.toml
    """
    from studyspec import api
    from studyspec.cli.plans import plan_json, plan_text, power_json, power_text, shared_text

    place = options.workplace(results, cache, base_address, trust=trust, max_jobs=max_jobs)
    with waiting("planning"):
        plans = [api.plan(path, profile, place) for path in api.study_files(studies)]
        expected = [api.power(one) for one in plans] if power else []
    if as_json:
        told = [power_json(one) for one in expected] or [plan_json(one) for one in plans]
        typer.echo(json.dumps(told, indent=2))
        return
    texts = [power_text(one) for one in expected] or [
        *(plan_text(one) for one in plans),
        shared_text(plans),
    ]
    typer.echo("\n\n".join(text for text in texts if text))


def run(
    studies: options.Studies,
    profile: options.Profile = None,
    on: Annotated[
        str, typer.Option("--on", help="Engine that starts workers; `studyspec plugins` has all.")
    ] = "local",
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Workers; default: one per core or GPU.")
    ] = None,
    devices: Annotated[
        str | None, typer.Option("--devices", help="Devices, as cuda:0,cuda:1 or cpu.")
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try failed jobs again.")
    ] = False,
    max_running: Annotated[
        int | None, typer.Option("--max-running", min=1, help="So many of them at once, on Slurm.")
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Leave as soon as workers are submitted.")
    ] = False,
    time_limit_minutes: Annotated[
        float | None, typer.Option("--time-limit", min=0.01, help="Time limit of one job [min].")
    ] = None,
    until_decided: Annotated[
        bool,
        typer.Option(
            "--until-decided",
            help="Repeat the folds while that may decide a claim; levels allow for each look.",
        ),
    ] = False,
    budget: Annotated[
        str | None,
        typer.Option("--budget", help="With --until-decided: time in all, as 1h or 90min."),
    ] = None,
    looks: Annotated[
        int | None,
        typer.Option("--looks", help="With --until-decided: looks planned, 2 to 10; default: 5."),
    ] = None,
    results: options.ResultsFolder = None,
    cache: options.Cache = None,
    base_address: options.BaseAddress = None,
    allow_http: options.AllowHttp = False,
    trust: options.Trust = False,
    max_jobs: options.MaxJobs = options.MOST_JOBS,
) -> None:
    """Do what is not yet known, and print the matrix. Run and resume are the same command.

    With --until-decided: judge the claims, repeat the folds for those that are undecided, and judge
    again, at levels that keep false alarms at 5 % over all looks.

    Example: studyspec run studies/material.toml --workers 4
    """
    from studyspec.cli.progress import Progress

    if not until_decided and (budget is not None or looks is not None):
        raise typer.BadParameter("--budget and --looks need --until-decided")
    try:
        with Progress() as progress:
            from studyspec import api  # after the first sign of life: it takes a second

            until = api.Until(None if budget is None else api.seconds_of(budget), looks)
            place = options.workplace(results, cache, base_address, allow_http, trust, max_jobs)
            how = api.Options(
                engine=on,
                workers=workers,
                devices=tuple(devices.split(",")) if devices else (),
                retry_failed=retry_failed,
                max_running=max_running,
                detach=detach,
                time_limit_s=None if time_limit_minutes is None else 60 * time_limit_minutes,
            )
            files = api.study_files(studies)
            if until_decided:
                ended = api.run_until_decided(
                    files, profile, place, how, progress, until, progress.looked
                )
                summary = ended.summary
            else:
                ended, summary = None, api.run(files, profile, place, how, progress)
    except KeyboardInterrupt as stop:
        left = getattr(stop, "left", ())
        still = f", but these workers cannot be ended: {', '.join(left)}" if left else ""
        with suppress(OSError):  # its terminal was closed
            typer.echo(f"interrupted{still}; the same command goes on from here", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if detach:
        typer.echo("left; `studyspec status` tells how it is, the same command goes on", err=True)
        return
    for path in files:
        typer.echo(_matrix_text(path, profile, place))
    for text in [] if ended is None else _ended(ended):
        typer.echo(text)
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

    with waiting("counting jobs"):
        if study is None:
            found = api.overview(results or options.RESULTS)
        else:
            found = api.status(study, profile, options.workplace(results, cache))
    if as_json:
        typer.echo(json.dumps(_standing_json(found), indent=2))
        return
    rows = [astuple(stage) for stage in found.stages]
    typer.echo(table(["stage", "done", "running", "to do", "failed"], rows))
    for told in found.workers:
        typer.echo(f"workers: {told}")
    for title in found.running:
        typer.echo(f"running: {title}")
    for job in found.failed:
        log = "" if job.log is None else f" (log: {job.log})"
        typer.echo(f"failed: {job.title}: {job.reason}{log}")
    for doubt in found.doubts:
        typer.echo(f"doubtful: {doubt}")


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

    files, place = api.study_files(studies), options.workplace(results)
    written: list[Path] = []
    with waiting("drawing the report"):
        if export is not None:
            written += api.export(files, export, profile, place)
        if markdown is not None:
            written.append(api.summarize(files, markdown, profile, place))
        if output is not None or (export is None and markdown is None):
            written.append(api.report(files, profile, place, output))
        edited = api.edits(files, profile, place)
    for text in edited:
        typer.echo(f"note: {text}", err=True)
    for path in written:
        typer.echo(path)


def _ended(ended: UntilDecided) -> list[str]:
    """How it ended for each study, in a line."""
    return [
        f"{one.study}: {one.text} After look {one.number} of {one.planned}: "
        f"{ended.reasons[one.study]}."
        for one in ended.looks
    ]


def _checked_json(checked: CheckedStudy) -> dict[str, object]:
    return {
        "study": checked.name,
        "profile": checked.profile,
        "datasets": {
            name: [image.row.image_id for image in dataset.images]
            for name, dataset in checked.datasets.items()
        },
        "variants": {variant.name: variant.pairs for variant in checked.variants},
        "unfetched": checked.unfetched,
        "doubles": checked.doubles,
        "warnings": checked.warnings,
    }


def _standing_json(found: Standing) -> dict[str, object]:
    return {
        "stages": [astuple(stage) for stage in found.stages],
        "running": found.running,
        "failed": [
            {"title": job.title, "reason": job.reason, "log": job.log and str(job.log)}
            for job in found.failed
        ],
        "doubts": found.doubts,
        "workers": found.workers,
    }


def _matrix_text(study: Path, profile: str | None, place: Workplace) -> str:
    from studyspec import api

    brief = api.matrix(study, profile, place).brief
    if not brief.rows:
        return (
            "nothing is trained; the views image_statistics and histograms hold what was measured"
        )
    return table(brief.columns, brief.rows) + "\nsd: over the folds, ddof 1"
