"""Answers: what came out, as rows, pages, pictures and words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studyspec.api.workplace import HERE, Workplace
from studyspec.errors import NothingThere
from studyspec.spec.loading import load
from studyspec.spec.variants import expand
from studyspec.store.layout import Results

if TYPE_CHECKING:
    from studyspec.report.pairs import Compared
    from studyspec.store.queries import Table


def matrix(
    study: Path, profile: str | None = None, workplace: Workplace = HERE
) -> list[dict[str, Any]]:
    """The view `matrix` of a study's newest plan, in the order of the study file."""
    from studyspec.store.queries import study_matrix

    loaded = load(study, profile)
    results = workplace.results_of(loaded.root)
    found = study_matrix(results, loaded.study.study.name, profile)
    cells = [(v.name, *pair) for v in expand(loaded.study) for pair in v.pairs]
    place = {cell: number for number, cell in enumerate(cells)}
    return sorted(found, key=lambda r: place.get((r["variant"], r["train"], r["test"]), -1))


def sql(query: str, results: Path = Path("results")) -> Table:
    """Answer one SQL statement, read-only; see the README for tables and views."""
    from studyspec.store.queries import user_query

    return user_query(Results(results.absolute()), query)


def report(
    studies: Sequence[Path],
    profile: str | None = None,
    workplace: Workplace = HERE,
    output: Path | None = None,
) -> Path:
    """Write one offline HTML page on studies that share a results folder; its path.

    Without `output`, several studies get a page each, and an index page that links them.
    """
    from studyspec.report.page import build
    from studyspec.report.summary import build_pages

    results, names = _reported(studies, profile, workplace)
    asked = [(name, profile) for name in names]
    if output is None and len(names) > 1:
        results.reports.mkdir(parents=True, exist_ok=True)
        return build_pages(results, asked, results.reports / "index.html")
    return build(results, asked, output or results.reports / f"{names[0]}.html")


def summarize(
    studies: Sequence[Path],
    document: Path,
    profile: str | None = None,
    workplace: Workplace = HERE,
) -> Path:
    """Write what came of several studies as one document in Markdown; its path."""
    from studyspec.report.summary import build_markdown

    results, names = _reported(studies, profile, workplace)
    return build_markdown(results, [(name, profile) for name in names], document)


def export(
    studies: Sequence[Path],
    folder: Path,
    profile: str | None = None,
    workplace: Workplace = HERE,
) -> list[Path]:
    """Write charts (svg, png, pdf) and tables (csv, tex) of studies; the paths of all files.

    Several studies get a folder each.
    """
    from studyspec.report.exports import export as export_study

    results, names = _reported(studies, profile, workplace)
    places = {name: folder / name if len(names) > 1 else folder for name in names}
    return [path for name in names for path in export_study(results, name, profile, places[name])]


def compare(
    results: Results,
    trains: tuple[str, str],
    test: str,
    study: str | None = None,
    profile: str | None = None,
    variant: str = "base",
    metric: str = "dice",
) -> Compared:
    """How two training sets differ on a test set, with an interval."""
    from studyspec.report.pairs import compare_pair
    from studyspec.store.ingest import ingest

    ingest(results)
    return compare_pair(results, trains, test, study, profile, variant, metric)


def _reported(
    studies: Sequence[Path], profile: str | None, workplace: Workplace
) -> tuple[Results, list[str]]:
    """The results of some studies, brought up to date, and the studies' names."""
    from studyspec.store.ingest import ingest

    loaded = [load(study, profile) for study in studies]
    if not loaded:
        raise NothingThere("no study file was named", hint="name a TOML file or a folder of them")
    results = workplace.results_of(loaded[0].root)
    ingest(results)
    return results, [one.study.study.name for one in loaded]
