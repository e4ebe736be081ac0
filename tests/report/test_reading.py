"""The page of a real results folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from studyspec.errors import NothingThere
from studyspec.report import page
from studyspec.report.reading import read
from studyspec.store.ingest import ingest
from studyspec.store.layout import Results
from studyspec.store.queries import user_query
from tests.store.results_folders import (
    dataset,
    variant,
    write_all_done,
    write_done,
    write_failed,
    write_study,
)

NAMES = ("Au", "Ag")
SETS = [dataset(name) for name in NAMES]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """A study that is done, of two datasets, two folds, two images each."""
    made = Results(tmp_path_factory.mktemp("results"))
    write_all_done(made, write_study(made, SETS, variant(NAMES)))
    ingest(made)
    return made


def test_the_matrix_is_that_of_the_store(results: Results) -> None:
    rows = read(results, "small", None).matrix.rows
    told = user_query(results, "select train, test, dice_mean from matrix order by all")
    assert sorted((r["train"], r["test"], r["dice_mean"]) for r in rows) == told.rows
    assert all(0 <= row["oversegmentation_mean"] <= 1 for row in rows)


def test_every_frame_has_the_rows_of_its_query(results: Results) -> None:
    frames = read(results, "small", None)
    for name, count in (("matrix", 4), ("folds", 8), ("images", 16), ("curves", 8), ("runs", 1)):
        frame = getattr(frames, name)
        assert len(frame.rows) == len(user_query(results, frame.sql).rows) == count, name


def test_patches_of_every_dataset_are_counted(results: Results) -> None:
    assert read(results, "small", None).patches == {"Au": 8, "Ag": 8}


def test_the_page_of_a_finished_study_is_built(results: Results, tmp_path: Path) -> None:
    out = page.build(results, [("small", None)], tmp_path / "pages" / "small.html")
    assert "4 of 4 cells." in out.read_text("utf-8")


def test_failures_reach_the_page(tmp_path: Path) -> None:
    made = Results(tmp_path)
    expanded = write_study(made, SETS, variant(NAMES))
    for job in expanded.jobs:
        if job.stage != "train":
            continue
        if job.ingredients["fold"] == 0:
            write_done(made, job)
        else:
            write_failed(made, job, "out_of_memory")
    ingest(made)
    text = page.build(made, [("small", None)], tmp_path / "small.html").read_text("utf-8")
    assert "0 of 4 cells; 4 missing: out of memory and not run yet" in text


def test_a_study_that_was_never_planned_has_no_page(results: Results, tmp_path: Path) -> None:
    with pytest.raises(NothingThere, match="study 'large', profile 'paper' has no results yet"):
        page.build(results, [("large", "paper")], tmp_path / "large.html")
