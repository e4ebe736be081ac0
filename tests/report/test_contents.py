from __future__ import annotations

from typing import Any

import pytest

from studyspec.report.cells import merged_cells
from studyspec.report.contents import Contents, contents
from studyspec.report.frames import StudyFrames
from tests.report.examples import frames, replanned


def said(made: StudyFrames) -> Contents:
    return contents(made, merged_cells(made))


def test_a_study_is_titled_by_its_question_or_its_name() -> None:
    assert said(frames()).title.startswith("Does a network")
    assert said(frames(question="")).title == "material"


def test_the_outcome_names_best_and_worst() -> None:
    text = said(frames(("Au", "Ag", "CdSe"))).outcome
    assert "own set" in text
    assert "the worst is CdSe on Au" in text


def test_a_study_without_scores_says_so() -> None:
    every = [(a, b, f) for a in ("Au", "Ag") for b in ("Au", "Ag") for f in range(5)]
    content = said(frames(("Au", "Ag"), missing=every))
    assert content.outcome == "Nothing has been scored yet."
    assert content.complete == "0 of 4 cells; 4 missing: not run yet."


def test_a_profile_is_named_and_in_the_command() -> None:
    content = said(frames(profile="paper"))
    assert content.label == "material (profile paper)"
    assert content.command == "studyspec run studies/material.toml --profile paper"


def test_the_table_tells_why_a_cell_is_missing() -> None:
    made = frames(
        ("Au", "Ag"),
        missing=[("Au", "Ag", fold) for fold in range(5)] + [("Ag", "Ag", 0)],
        failures={f"eval-Au-Ag-{f}": "out of memory" for f in range(5)},
    )
    (table,) = said(made).tables
    kinds = {row.train: [cell.kind for cell in row.cells] for row in table.rows}
    assert kinds == {"Au": ["own", "missing"], "Ag": ["other", "own"]}
    assert table.rows[0].cells[1].text == "out of memory"
    assert table.rows[1].cells[1].text.endswith("(4 of 5 folds)")


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ("Au", "c = Au"),
        (["Au", "Ag"], "c in Au, Ag"),
        ({"near": 423, "within": 5}, "c = 423 ± 5"),
        ({"min": 1, "max": None}, "c ≥ 1"),
        ({"min": 1, "max": 2}, "c ≥ 1 and c ≤ 2"),
        ({"not": "Au"}, "c is not Au"),
        ({"like": "A%"}, "c like A%"),
    ],
)
def test_filters_are_told_in_words(condition: Any, text: str) -> None:
    dataset = {"filter": {"c": condition, "collection": "twin"}, "images": [], "label": "drawn"}
    (row,) = said(frames(datasets={"a": dataset | {"members": ["a"]}}, cells=[])).datasets
    assert row.filter == (text,)


def test_a_union_is_told_by_its_members() -> None:
    union = {"filter": None, "members": ["Au", "Ag"], "images": [], "label": "drawn"}
    (row,) = said(frames(datasets={"Au+Ag": union}, cells=[])).datasets
    assert row.filter == ("union of Au and Ag",)


@pytest.mark.parametrize(
    ("members", "text"),
    [(["twin:384", "real"], "union of 384 images of twin and real"), (["Au:8"], "8 images of Au")],
)
def test_drawn_members_are_told(members: list[str], text: str) -> None:
    mixed = {"filter": None, "members": members, "images": [], "label": "drawn"}
    (row,) = said(frames(datasets={"a": mixed}, cells=[])).datasets
    assert row.filter == (text,)


def test_a_drawn_dataset_says_its_number_and_seed() -> None:
    drawn = {"filter": {"c": 1, "take": 8}, "members": ["a"], "images": [], "label": "drawn"}
    (row,) = said(frames(datasets={"a": drawn}, cells=[])).datasets
    assert row.filter == ("c = 1", "8 of these, seed 0")


def test_provenance_names_software_and_hardware() -> None:
    terms = dict(said(frames()).provenance)
    assert "torch 2.13.0" in terms["Software"]
    assert terms["Hardware"] == "a CPU, 1 thread: 45 jobs, 321 s"


def test_a_study_that_trains_nothing_says_so() -> None:
    content = said(replanned(frames(("Au",)), cells=[]))
    assert content.outcome == "Nothing is trained: the images are measured."
    assert content.complete == ""
