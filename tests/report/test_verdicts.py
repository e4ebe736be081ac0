from __future__ import annotations

from typing import Any

import pytest

from studyspec.report import verdicts
from studyspec.report.cells import merged_cells
from studyspec.report.frames import StudyFrames
from studyspec.report.verdicts import JudgedClaim
from studyspec.spec.claims import Claim
from tests.report.examples import Size, frames

CLAIM = {
    "says": "silver's networks find gold",
    "left": {"train": "Ag", "test": "Au"},
    "right": {"train": "Au", "test": "Au"},
    "at_least": -0.5,
}


BOTH = {key: CLAIM[key] for key in ("left", "right", "at_least")}


def judged(made: StudyFrames) -> list[JudgedClaim]:
    return verdicts.claims(made, verdicts.scores_of(made, merged_cells(made)))


def claiming(*claims: dict[str, Any], **rest: Any) -> StudyFrames:
    return frames(spec={"claims": list(claims)}, **rest)


def test_a_claim_is_told_with_its_verdict_and_a_drawing() -> None:
    (claim,) = judged(claiming(CLAIM))
    assert (claim.verdict, claim.kind, claim.says) == ("held", "held", CLAIM["says"])
    drawing = claim.drawing
    assert drawing is not None
    assert drawing.bounds[0].x < drawing.low < drawing.estimate < drawing.high
    assert drawing.bounds[0].text == "−0.5"


def test_a_claim_on_a_missing_cell_is_undecided_without_a_drawing() -> None:
    made = claiming(CLAIM, missing=[("Ag", "Au", 0)], failures={"eval-Ag-Au-0": "out of memory"})
    (claim,) = judged(made)
    assert (claim.verdict, claim.drawing) == ("undecided", None)
    assert claim.reason == "Ag → Au is not complete: out of memory"


def test_the_tally_counts_verdicts() -> None:
    made = claiming(CLAIM, CLAIM | {"at_least": 0.5}, CLAIM | {"at_least": 0.6})
    assert verdicts.tally(judged(made)) == "1 of 3 claims held, 2 did not hold."
    assert verdicts.tally([]) == ""


@pytest.mark.parametrize(("images", "interval"), [(12, True), (5, False)])
def test_cells_are_compared_with_their_own_set(images: int, interval: bool) -> None:
    made = frames(("Au", "Ag"), Size(images=images))
    cells = merged_cells(made)
    compared = verdicts.with_differences(cells, verdicts.scores_of(made, cells))
    found = {(c.name.train, c.name.test): c for c in compared}
    cell, own = found["Ag", "Au"], found["Au", "Au"]
    assert own.less_own is None
    assert cell.less_own is not None
    assert cell.dice is not None
    assert own.dice is not None
    assert cell.less_own.difference == pytest.approx(cell.dice - own.dice)
    assert (cell.less_own.low is not None) == interval


def test_columns_of_datasets_are_means_over_their_images() -> None:
    made = frames(("Au",), Size(images=2))
    for i, row in enumerate(made.plan.images.values()):
        row["dose_e_per_A2"] = 400.0 + 20 * i
    columns = verdicts.scores_of(made, merged_cells(made)).columns
    assert columns["Au"]["dose_e_per_A2"] == 410.0


def test_a_claim_of_several_parts_is_read_as_the_plan_records_it() -> None:
    said = Claim.model_validate({"says": "both", "all": [BOTH, BOTH]})
    (claim,) = judged(claiming(said.model_dump(mode="json")))
    assert [part.verdict for part in claim.parts] == ["held", "held"]
    assert claim.drawing is None


def test_a_claim_of_several_parts_says_which_of_them_decided() -> None:
    never = BOTH | {"at_least": 0.5}
    (claim,) = judged(claiming({"says": "both", "all": [BOTH, never]}))
    assert (claim.verdict, claim.note) == ("did not hold", "part 2 of 2 did not hold")


def test_families_are_told_where_there_are_several_claims() -> None:
    made = judged(claiming(CLAIM, CLAIM | {"family": "gold"}, CLAIM | {"family": "gold"}))
    told = verdicts.told_families(made)
    assert told.endswith("(Holm): 2 claims of the family gold, 1 other claim.")
    assert verdicts.told_families(made[:1]) == ""


LOOKS = {"planned": 3, "taken": 3, "repeats": {"base": 1}, "folds": {"base": 2}}


def test_a_claim_that_was_looked_at_several_times_has_every_interval() -> None:
    (claim,) = judged(claiming(CLAIM, size=Size(folds=6), looks=LOOKS))
    assert [(look.look, look.networks) for look in claim.looks] == [(1, "2"), (2, "4"), (3, "6")]
    assert [look.level for look in claim.looks] == ["99.931 %", "98.4 %", "95.5 %"]
    assert claim.verdict == "held"
    assert "of 3)" in claim.reason


def test_the_parts_of_a_claim_have_looks_of_their_own() -> None:
    said = {"says": "both", "all": [BOTH, BOTH]}
    (claim,) = judged(claiming(said, size=Size(folds=6), looks=LOOKS))
    assert claim.looks == ()
    assert [len(part.looks) for part in claim.parts] == [3, 3]


def test_a_look_that_is_not_whole_leaves_the_one_before_it() -> None:
    made = claiming(CLAIM, size=Size(folds=6), looks=LOOKS, missing=[("Ag", "Au", 5)])
    (claim,) = judged(made)
    assert [look.networks for look in claim.looks] == ["2", "4", "–"]
    assert claim.verdict == "held"


def test_one_look_is_told_without_a_table() -> None:
    (claim,) = judged(claiming(CLAIM))
    assert claim.looks == ()
    assert verdicts.told_looks(claiming(CLAIM).plan) == ""
    told = verdicts.told_looks(claiming(CLAIM, looks=LOOKS).plan)
    assert told.startswith("Judged at 3 of 3 planned looks")
