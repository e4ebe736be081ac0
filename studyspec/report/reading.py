"""Reading the frames of a study from the store: a query for each, shown on the page as it ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import TypeAdapter, ValidationError

from studyspec.errors import NothingThere
from studyspec.plan.record import PlanRecord
from studyspec.plugins.registry import METRICS, OURS
from studyspec.report.asked import Asked
from studyspec.report.frames import (
    CurveRow,
    FoldRow,
    Frame,
    HistogramRow,
    MatrixCell,
    PatchRow,
    R,
    RunRow,
    ScoredImage,
    StatisticsRow,
    StudyFrames,
)
from studyspec.report.micrographs import WORST, worst_images
from studyspec.spec.derived import DICE
from studyspec.store.folder import Results
from studyspec.store.kept import KeptPatches
from studyspec.store.planned import RecordedPlan, previous_plan
from studyspec.store.prepared import AtHand
from studyspec.store.snapshot import Snapshot, snapshot

Answer = Mapping[str, object]
"""A row as the store gives it."""

MATRIX = """\
select * exclude (study, profile)
from matrix
where {here}
order by variant, train, test"""

FOLDS = """\
select * exclude (study, profile)
from scores
where {here}
order by variant, train, test, fold, split"""

IMAGES = """\
select variant, train, test, fold, split, image_id, n_patches, {metrics}
from image_scores
where {here}
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

PLUGINS = """\
select distinct e.value as package, e.key as plugin
from (
    select unnest(map_entries(plugins)) as e from attempts
    where chosen and (
        key in (select network from cells where {here})
        or key in (select evaluation from cells where {here})
        or key in (
            select unnest(l.prepares) from stored.plan_list l
            join stored.newest_plan p on p.record = l.plan where {here}
        )
    )
)
order by package, plugin"""

PATCH_SCORES = """\
select variant, train, test, image_id, row, col, avg({dice}) as dice
from cells join patch_score using (evaluation)
where {here} and cells.split = 'test' and patch_score.split = 'test' and orientation = 0
      and {shown}
group by all
order by all"""

PATCHES = "select dataset, patches from datasets where {here} and patches is not null"
FAILURES = "select key, status, error_message from failures"


def read_all(results: Results, studies: Sequence[Asked]) -> list[StudyFrames]:
    """The frames of some studies, all of one state of the store; raises as `read`."""
    with snapshot(results) as now:
        found = [(one, read(results, now, one.study, one.profile)) for one in studies]
        told = [
            replace(frames, edited=one.edited(frames.plan), at_hand=AtHand(results, one.at))
            for one, frames in found
        ]
        return [replace(one, patch_scores=_patch_scores(now, one)) for one in told]


def _patch_scores(now: Snapshot, frames: StudyFrames) -> list[PatchRow]:
    """The patches of the images that are shown whole."""
    tests = dict.fromkeys(row.test for row in frames.images.rows if row.split == "test")
    shown = [
        f"(test = {_text(test)} and image_id in ({', '.join(map(_text, images))}))"
        for test in tests
        if (images := worst_images(frames, test)[:WORST])
    ]
    if not shown:
        return []
    plan = frames.plan
    here = f"study = {_text(plan.study)} and profile = {_text(plan.profile or '')}"
    (dice,) = METRICS.get(DICE).patch_sums.values()
    asked = PATCH_SCORES.format(here=here, dice=dice, shown=f"({' or '.join(shown)})")
    return TypeAdapter(list[PatchRow]).validate_python(now.ask(asked).dicts())


def read(results: Results, now: Snapshot, study: str, profile: str | None) -> StudyFrames:
    """The frames of the newest plan of a study and profile.

    Raises
    ------
    NothingThere
        If it was never planned in this results folder.
    """
    recorded = _recorded(results, study, profile)
    try:
        plan = PlanRecord.model_validate(recorded.plan)
    except ValidationError as error:
        raise NothingThere(
            f"the newest plan of '{study}' cannot be read: {str(error).splitlines()[0]}",
            where=str(results.folder),
            hint="`studyspec run` plans it anew",
        ) from None
    here = f"study = {_text(study)} and profile = {_text(profile or '')}"
    metrics = ", ".join(f'"{name}"' for name in METRICS.names)

    def frame(query: str, row: type[R]) -> Frame[R]:
        sql = query.format(here=here, metrics=metrics)
        told = [_told(answer, row) for answer in now.ask(sql).dicts()]
        return Frame(TypeAdapter(list[row]).validate_python(told), sql)  # type: ignore[valid-type]

    folds = frame(FOLDS, FoldRow)
    tested = [row.evaluation for row in folds.rows if row.split == "test"]
    statistics = frame(STATISTICS, StatisticsRow) if plan.measurements else None
    rows = statistics.rows if statistics else ()
    measured = {row.dataset: row.patches for row in reversed(rows)}
    patches = now.ask(PATCHES.format(here=here)).dicts()
    return StudyFrames(
        plan=plan,
        key=recorded.key,
        matrix=frame(MATRIX, MatrixCell),
        folds=folds,
        images=frame(IMAGES, ScoredImage),
        curves=frame(CURVES, CurveRow),
        runs=frame(RUNS, RunRow),
        statistics=statistics,
        histograms=frame(HISTOGRAMS, HistogramRow) if measured else None,
        kept=KeptPatches(results, tested),
        packages=_packages(now.ask(PLUGINS.format(here=here)).dicts()),
        patches=measured | {str(row["dataset"]): int(str(row["patches"])) for row in patches},
        failures={str(row["key"]): _reason(row) for row in now.ask(FAILURES).dicts()},
    )


def _packages(rows: Sequence[Answer]) -> tuple[str, ...]:
    """The distributions of others in the records, as "studyspec-extras 1.2 (step.median)"."""
    found: dict[str, list[str]] = {}
    for row in rows:
        package = str(row["package"])
        if package.partition(" ")[0] != OURS:
            found.setdefault(package, []).append(str(row["plugin"]))
    return tuple(f"{package} ({', '.join(names)})" for package, names in found.items())


def _recorded(results: Results, study: str, profile: str | None) -> RecordedPlan:
    recorded = previous_plan(results, study, profile)
    if recorded is None:
        asked = f"study '{study}'" + (f", profile '{profile}'" if profile else "")
        raise NothingThere(
            f"{asked} has no results yet",
            where=str(results.folder),
            hint="`studyspec run` it first",
        )
    return recorded


def _told(answer: Answer, row: type[R]) -> dict[str, object]:
    """The fields of a row; metrics are gathered by name from the columns that they have."""
    names = METRICS.names
    told: dict[str, object] = {
        "metrics": {name: answer[name] for name in names if name in answer},
        "means": {name: answer[f"{name}_mean"] for name in names if f"{name}_mean" in answer},
        "sds": {name: answer[f"{name}_sd"] for name in names if f"{name}_sd" in answer},
    }
    return {name: told.get(name, answer.get(name)) for name in row._fields}


def _reason(failure: Answer) -> str:
    """Why a job failed, in few words: an error by its message, all else by its name."""
    if failure["status"] == "error" and failure["error_message"]:
        return str(failure["error_message"])
    return str(failure["status"]).replace("_", " ")


def _text(value: str) -> str:
    """A SQL literal."""
    return "'" + value.replace("'", "''") + "'"
