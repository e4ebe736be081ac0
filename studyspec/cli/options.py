"""Options and arguments that several commands share, and the Workplace they describe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from studyspec.cli.completion import profiles

if TYPE_CHECKING:
    from studyspec.api import Workplace

RESULTS = Path("results")
"""The results folder of a command that names no study."""
Study = Annotated[Path, typer.Argument(help="Study file (TOML).", show_default=False)]
Studies = Annotated[
    list[Path], typer.Argument(help="Study files (TOML), or folders of them.", show_default=False)
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help="Profile of the study file to merge over it.",
        autocompletion=profiles,
    ),
]
ResultsFolder = Annotated[
    Path | None,
    typer.Option(
        "--results",
        envvar="STUDYSPEC_RESULTS",
        help="Results folder; default: results/ in the study's project root.",
    ),
]
AnyResults = Annotated[
    Path, typer.Option("--results", envvar="STUDYSPEC_RESULTS", help="Results folder.")
]
Cache = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        envvar="STUDYSPEC_CACHE",
        help="Folder of fetched files; default: the user's cache directory.",
    ),
]
BaseAddress = Annotated[
    str | None,
    typer.Option(
        "--base-address",
        envvar="STUDYSPEC_BASE_ADDRESS",
        help="Address below which the published images lie (a mirror).",
    ),
]
AllowHttp = Annotated[
    bool, typer.Option("--allow-http", help="Fetch from http addresses too; https is safer.")
]
Trust = Annotated[
    bool,
    typer.Option("--trust", help="Run networks that are code: TorchScript (.pt) and factories."),
]
MaxJobs = Annotated[
    int,
    typer.Option("--max-jobs", min=1, help="Refuse a study of more jobs: it may be a slip."),
]
MOST_JOBS = 1_000_000
NetworkFolders = Annotated[
    list[Path] | None,
    typer.Option(
        "--networks", help="Folder of released networks; repeatable; default: networks/ and here."
    ),
]
PixelScale = Annotated[
    float | None,
    typer.Option("--pixel-scale-nm", min=1e-6, help="Edge of a pixel of the images [nm]."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def workplace(
    results: Path | None,
    cache: Path | None = None,
    base_address: str | None = None,
    allow_http: bool = False,
    trust: bool = False,
    max_jobs: int = MOST_JOBS,
) -> Workplace:
    """The workplace that the options describe."""
    from studyspec.api import Workplace

    return Workplace(results, cache, base_address, allow_http, trust, max_jobs)
