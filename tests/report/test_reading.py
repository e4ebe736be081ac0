"""The page of a real results folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from studyspec.catalog.row import ImageRow
from studyspec.errors import NothingThere, QueryError
from studyspec.jobs.stages import Job
from studyspec.plan.datasets import PlannedImage, ResolvedDataset
from studyspec.plan.expansion import expand_jobs
from studyspec.plan.preparation import Files
from studyspec.plan.record import Question, plan_record
from studyspec.plugins.registry import METRICS
from studyspec.report import page
from studyspec.report.asked import Asked
from studyspec.report.frames import StudyFrames
from studyspec.report.pairs import compare_pair
from studyspec.report.reading import read_all
from studyspec.spec.filters import DatasetFilter
from studyspec.spec.identity import digest
from studyspec.spec.sections import StageSettings
from studyspec.spec.variants import Variant
from studyspec.store.folder import Results
from studyspec.store.ingest import ingest
from studyspec.store.planned import write_plan
from studyspec.store.queries import user_query
from tests.store.results_folders import PATCH, Study, write_all_done, write_done, write_failed

NAMES = ("Au", "Ag")


def dataset(name: str) -> ResolvedDataset:
    rows = [ImageRow(f"{name}/{i}", "mine", f"{name}-{i}.tif", f"{name}-{i}.png") for i in (0, 1)]
    images = [
        PlannedImage(row, "drawn", digest(row.image_id), digest([row.image_id])) for row in rows
    ]
    return ResolvedDataset(name, DatasetFilter(), tuple(images))


def planned(results: Results) -> tuple[Job, ...]:
    """Record the plan of a study of two datasets, two folds, two images each; its jobs."""
    datasets = {name: dataset(name) for name in NAMES}
    settings = StageSettings.model_validate(
        {"cross_validation": {"folds": 2}, "preprocess": {"patch": {"size": PATCH}}}
    )
    base = Variant("base", settings, tuple((a, b) for a in NAMES for b in NAMES))
    expanded = expand_jobs([base], datasets, Files("/catalog.parquet", "/cache"))
    question = Question(study="small", question="why?", profile=None, spec={}, source="")
    write_plan(results, plan_record(question, [base], datasets, expanded).written())
    return expanded.jobs


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The study, done."""
    made = Results(tmp_path_factory.mktemp("results"))
    write_all_done(made, Study(planned(made), (), {}))
    ingest(made)
    return made


@pytest.fixture(scope="module")
def frames(results: Results) -> StudyFrames:
    (made,) = read_all(results, [Asked("small")])
    return made


def test_the_matrix_is_that_of_the_store(results: Results, frames: StudyFrames) -> None:
    told = user_query(results, "select train, test, dice_mean, loss_sd from matrix order by all")
    rows = [(r.train, r.test, r.means["dice"], r.sds["loss"]) for r in frames.matrix.rows]
    assert sorted(rows) == told.rows


def test_every_frame_has_the_rows_of_its_query(results: Results, frames: StudyFrames) -> None:
    for name, count in (("matrix", 4), ("folds", 8), ("images", 16), ("curves", 8), ("runs", 1)):
        frame = getattr(frames, name)
        assert len(frame.rows) == len(user_query(results, frame.sql).rows) == count, name


def test_rows_hold_every_metric_by_its_name(frames: StudyFrames) -> None:
    told = [row.metrics for row in frames.folds.rows] + [row.metrics for row in frames.images.rows]
    assert {tuple(metrics) for metrics in told} == {METRICS.names}


def test_patches_of_every_dataset_are_counted(frames: StudyFrames) -> None:
    assert frames.patches == {"Au": 8, "Ag": 8}


def test_the_page_of_a_finished_study_is_built(results: Results, tmp_path: Path) -> None:
    out = page.build(results, [Asked("small")], tmp_path / "pages" / "small.html")
    assert "4 of 4 cells." in out.read_text("utf-8")


def test_failures_reach_the_page(tmp_path: Path) -> None:
    made = Results(tmp_path)
    for job in planned(made):
        if job.stage == "train" and job.task.ingredients["fold"] == 0:
            write_done(made, job)
        elif job.stage == "train":
            write_failed(made, job, "out_of_memory")
    ingest(made)
    text = page.build(made, [Asked("small")], tmp_path / "small.html").read_text("utf-8")
    assert "0 of 4 cells; 4 missing: out of memory and not run yet" in text


def test_a_study_that_was_never_planned_has_no_page(results: Results, tmp_path: Path) -> None:
    with pytest.raises(NothingThere, match="study 'large', profile 'paper' has no results yet"):
        page.build(results, [Asked("large", "paper")], tmp_path / "large.html")


def test_two_cells_are_compared_by_any_metric(results: Results) -> None:
    found = compare_pair(results, NAMES, "Au", metric="loss")
    assert found.study == "small"
    assert found.difference.value == pytest.approx(found.means[0] - found.means[1])
    assert "fewer than 6 micrographs" in found.text


def test_an_unknown_metric_or_cell_is_named(results: Results) -> None:
    with pytest.raises(QueryError, match="no metric 'dise'; did you mean 'dice'"):
        compare_pair(results, NAMES, "Au", metric="dise")
    with pytest.raises(QueryError, match="no study tests 'Au' and 'Cu' on 'Au'"):
        compare_pair(results, ("Au", "Cu"), "Au")
