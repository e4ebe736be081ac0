"""Answers to a study's question: its matrix, pages, pictures and words."""

from __future__ import annotations

from pathlib import Path

from studyspec.api.frames import MatrixRows
from studyspec.api.names import named_apart, refuse_other
from studyspec.api.workplace import HERE, AnyPath, Paths, Workplace, study_files
from studyspec.plan.record import PlanRecord
from studyspec.report.asked import Asked
from studyspec.spec.loading import LoadedStudy, load
from studyspec.store.folder import Results
from studyspec.store.ingest import ingest_if_free
from studyspec.store.planned import previous_plan
from studyspec.store.queries import study_matrix


def matrix(study: AnyPath, profile: str | None = None, workplace: Workplace = HERE) -> MatrixRows:
    """The view `matrix` of a study's newest plan, in the order of the study file.

    Parameters
    ----------
    study
        The study file.
    profile
        Profile of the file to merge over it.
    workplace
        Where results are.

    Raises
    ------
    NothingThere
        If there are no results.
    """
    loaded = load(Path(study), profile)
    results = workplace.results_of(loaded.root)
    found = MatrixRows.of(study_matrix(results, loaded.study.study.name, profile))
    return found.ordered([(v.name, *pair) for v in loaded.variants for pair in v.pairs])


def report(
    studies: Paths,
    profile: str | None = None,
    workplace: Workplace = HERE,
    output: AnyPath | None = None,
) -> Path:
    """Write one offline HTML page on studies that share a results folder; its path.

    Without `output`, several studies get a page each, and an index page that links them. Of results
    that can only be read, they are written here.

    Raises
    ------
    NothingThere
        If a study has never been planned there.
    """
    from studyspec.report.page import build
    from studyspec.report.summary import build_pages

    results, asked = _reported(studies, profile, workplace)
    if output is not None:
        return build(results, asked, Path(output))
    folder = results.reports if results.writable else Path()
    if len(asked) > 1:
        return build_pages(results, asked, folder / "index.html")
    return build(results, asked, folder / f"{asked[0].study}.html")


def summarize(
    studies: Paths,
    document: AnyPath,
    profile: str | None = None,
    workplace: Workplace = HERE,
) -> Path:
    """Write what came of several studies as one document in Markdown; its path.

    Raises
    ------
    NothingThere
        If a study has never been planned there.
    """
    from studyspec.report.summary import build_markdown

    results, asked = _reported(studies, profile, workplace)
    return build_markdown(results, asked, Path(document))


def export(
    studies: Paths,
    folder: AnyPath,
    profile: str | None = None,
    workplace: Workplace = HERE,
) -> tuple[Path, ...]:
    """Write charts (svg, png, pdf) and tables (csv, tex) of studies; the paths of all files.

    Several studies get a folder each.

    Raises
    ------
    NothingThere
        If a study has never been planned there.
    """
    from studyspec.report.exports import export as export_study

    results, asked = _reported(studies, profile, workplace)
    top = Path(folder)
    places = {one.study: top / one.study if len(asked) > 1 else top for one in asked}
    return tuple(path for one in asked for path in export_study(results, one, places[one.study]))


def edits(
    studies: Paths, profile: str | None = None, workplace: Workplace = HERE
) -> tuple[str, ...]:
    """What of study files was edited since they ran, a sentence for each that was."""
    found = []
    for one in named_apart([load(study, profile) for study in study_files(studies)]):
        recorded = previous_plan(workplace.results_of(one.root), one.study.study.name, profile)
        if recorded is not None:
            said = _asked(one, workplace).edited(PlanRecord.model_validate(recorded.plan))
            found += [f"{one.path}: {said}"] if said else []
    return tuple(found)


def _reported(
    studies: Paths, profile: str | None, workplace: Workplace
) -> tuple[Results, list[Asked]]:
    """The results of some studies, brought up to date, and what is asked of them."""
    loaded = named_apart([load(study, profile) for study in study_files(studies)])
    results = workplace.results_of(loaded[0].root)
    ingest_if_free(results)
    for one in loaded:
        refuse_other(one, previous_plan(results, one.study.study.name, profile))
    return results, [_asked(one, workplace) for one in loaded]


def _asked(loaded: LoadedStudy, workplace: Workplace) -> Asked:
    catalog, name = loaded.study.catalog, loaded.study.study.name
    at = workplace.whereabouts(loaded.root / catalog.path, catalog.base_address)
    return Asked(name, loaded.profile, loaded.source, loaded.tables, at)
