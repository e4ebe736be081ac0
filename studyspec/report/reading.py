"""Reading the frames of a study from the store: a query for each, shown on the page as it ran."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studyspec.errors import NothingThere
from studyspec.report.frames import Frame, StudyFrames
from studyspec.run.kept import load_kept
from studyspec.store.layout import Results
from studyspec.store.planned import previous_plan
from studyspec.store.queries import user_query

METRICS = "dice, dice_micro, soft_dice, loss, precision, recall, oversegmentation"

MATRIX = """\
select m.* exclude (study, profile),
       o.mean as oversegmentation_mean, o.sd as oversegmentation_sd
from matrix m
join cell_scores o using (study, profile, variant, train, test)
where {here} and o.split = 'test' and o.metric = 'oversegmentation'
order by variant, train, test"""

FOLDS = f"""\
select variant, train, test, fold, split, n_patches, {METRICS}, network, evaluation
from scores
where {{here}}
order by variant, train, test, fold, split"""

IMAGES = f"""\
select variant, train, test, fold, split, image_id, n_patches, {METRICS}
from image_scores
where {{here}}
order by variant, train, test, fold, split, image_id"""

CURVES = """\
select network, epoch, train_loss, validation_loss
from history
where network in (select network from cells where {here})
order by network, epoch"""

RUNS = """\
select device_name, versions, count(*) as jobs, sum(seconds) as seconds,
       max(finished_at) as finished_at
from attempts
where chosen and (key in (select network from cells where {here})
                  or key in (select evaluation from cells where {here}))
group by device_name, versions
order by jobs desc, device_name"""

STATISTICS = """\
select variant, dataset, rho, count(*) as images, sum(patches) as patches,
       avg(contrast) as contrast,
       avg(film_sd) as film_sd, avg(particle_sd) as particle_sd, avg(roughness) as roughness
from image_statistics
where {here}
group by variant, dataset, rho
order by variant, dataset, rho"""

HISTOGRAMS = """\
select variant, dataset, intensity_low, intensity_high, particle, background
from histograms
where {here} and rho = 0
order by variant, dataset, intensity_low"""

PATCHES = "select dataset, patches from datasets where {here} and patches is not null"
FAILURES = "select key, status, error_message from failures"


def read(results: Results, study: str, profile: str | None) -> StudyFrames:
    """The frames of the newest plan of a study and profile.

    Raises
    ------
    NothingThere
        If it was never planned in this results folder.
    """
    plan = previous_plan(results, study, profile)
    if plan is None:
        asked = f"study '{study}'" + (f", profile '{profile}'" if profile else "")
        raise NothingThere(
            f"{asked} has no results yet",
            where=str(results.folder),
            hint="`studyspec run` it first",
        )
    here = f"study = {_text(study)} and profile = {_text(profile or '')}"

    def frame(query: str) -> Frame:
        return _frame(results, query.format(here=here))

    folds = frame(FOLDS)
    tested = [row["evaluation"] for row in folds.rows if row["split"] == "test"]
    kept = {key: load_kept(results.prediction(key)) for key in tested}
    statistics = frame(STATISTICS) if plan.get("measurements") else None
    rows = statistics.rows if statistics else ()
    measured = {row["dataset"]: int(row["patches"]) for row in reversed(rows)}
    return StudyFrames(
        plan=plan,
        matrix=frame(MATRIX),
        folds=folds,
        images=frame(IMAGES),
        curves=frame(CURVES),
        runs=frame(RUNS),
        statistics=statistics,
        histograms=frame(HISTOGRAMS) if measured else None,
        kept={key: patches for key, patches in kept.items() if patches},
        patches=measured | {row["dataset"]: row["patches"] for row in frame(PATCHES).rows},
        failures={row["key"]: _reason(row) for row in frame(FAILURES).rows},
    )


def _frame(results: Results, sql: str) -> Frame:
    return Frame(user_query(results, sql).dicts(), sql)


def _reason(failure: Mapping[str, Any]) -> str:
    """Why a job failed, in few words: an error by its message, all else by its name."""
    if failure["status"] == "error" and failure["error_message"]:
        return str(failure["error_message"])
    return str(failure["status"]).replace("_", " ")


def _text(value: str) -> str:
    """A SQL literal."""
    return "'" + value.replace("'", "''") + "'"
