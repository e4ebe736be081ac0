from __future__ import annotations

from typing import Any

from studyspec.report.completeness import CellState, cell_states, sentence
from studyspec.stats.scores import CellName
from tests.report.examples import frames

NAMES = ("Au", "Ag")
CELL = CellName("base", "a", "b")


def states(scored: set[str], failures: dict[str, str] | None = None) -> dict[Any, CellState]:
    plan = frames(NAMES).plan
    return {(s.name.train, s.name.test): s for s in cell_states(plan, scored, failures or {})}


def every(train: str, test: str, folds: int = 5) -> set[str]:
    return {f"eval-{train}-{test}-{fold}" for fold in range(folds)}


def test_a_cell_is_done_when_every_fold_is() -> None:
    state = states(every("Au", "Au"))["Au", "Au"]
    assert (state.state, state.done, state.planned, state.why) == ("done", 5, 5, "")


def test_a_cell_with_some_folds_is_a_part() -> None:
    state = states(every("Au", "Au", folds=3))["Au", "Au"]
    assert (state.state, state.done, state.why) == ("part", 3, "not run yet")


def test_a_missing_cell_says_why_its_test_failed() -> None:
    failures = {f"eval-Au-Ag-{fold}": "out of memory" for fold in range(5)}
    assert states(set(), failures)["Au", "Ag"].why == "out of memory"


def test_a_missing_cell_says_why_its_training_failed() -> None:
    failures = {f"net-Au-{fold}": "time limit" for fold in range(5)}
    assert states(set(), failures)["Au", "Ag"].why == "time limit"


def test_a_missing_cell_says_why_an_image_could_not_be_prepared() -> None:
    failures = {"prepare-twin/Ag/03": "truncated file"}
    found = states(set(), failures)
    assert found["Au", "Ag"].why == found["Ag", "Au"].why == "truncated file"
    assert found["Au", "Au"].why == "not run yet"


def test_the_sentence_of_a_complete_study() -> None:
    assert sentence([CellState(CELL, 5, 5)] * 45) == "45 of 45 cells"


def test_the_sentence_counts_what_is_missing_and_says_why() -> None:
    done = [CellState(CELL, 5, 5)] * 43
    missing = [CellState(CELL, 0, 5, "out of memory")] * 2
    assert sentence(done + missing) == "43 of 45 cells; 2 missing: out of memory"


def test_the_sentence_counts_each_reason() -> None:
    whys = ["time limit", "out of memory", "out of memory"]
    missing = [CellState(CELL, 0, 5, why) for why in whys]
    part = CellState(CELL, 4, 5, "not run yet")
    assert sentence([*missing, part]) == (
        "0 of 4 cells; 3 missing: 2 out of memory, 1 time limit; 1 incomplete: not run yet"
    )
