from __future__ import annotations

import math
from typing import Any

import pytest

from studyspec.spec.claims import Claim
from studyspec.stats.claims import judge
from studyspec.stats.components import PATCHES, Components, Design, drawn
from studyspec.stats.power import Expected, Prospect, expect, named_variants, narrowed
from studyspec.stats.scores import CellName, Scores

NAMES = [CellName("base", train, test) for train in ("Au", "Ag") for test in ("Au", "Ag")]
PLANNED = Scores([], [], absent=dict.fromkeys(NAMES, "planned"))
AG, AU = {"train": "Ag", "test": "Au"}, {"train": "Au", "test": "Au"}
QUIET = Components(0.05, 0.004, 0.002, 0.01)


def design(micrographs: int = 12, folds: int = 5) -> Design:
    held_out = frozenset({("Au", "Au"), ("Ag", "Ag")})
    return Design(folds, {"Au": micrographs, "Ag": micrographs}, held_out)


def expected(components: Components = PATCHES, past: Scores | None = None, **said: Any) -> Expected:
    claim = Claim.model_validate({"says": "a claim", "left": AG, "right": AU, **said})
    prospect = Prospect(PLANNED, past or Scores([], []), design(), lambda metric: components)
    (one,) = expect([claim], prospect)
    return one


def test_the_half_width_is_that_of_the_judging() -> None:
    one = expected(at_least=-0.05)
    made = drawn(NAMES, ["dice"], (PATCHES, design()), 3)
    claim = Claim.model_validate({"says": "x", "left": AG, "right": AU, "at_least": -0.05})
    low, high = judge(claim, made).interval or (0.0, 0.0)
    assert one.half_width == pytest.approx((high - low) / 2, rel=0.5)
    assert (one.micrographs, one.folds) == (12, 5)


def test_a_quiet_study_decides_as_planned() -> None:
    one = expected(QUIET, at_least=-0.05)
    assert one.decided
    assert (one.needed_micrographs, one.needed_folds) == (12, 5)


def test_what_is_missing_is_told() -> None:
    one = expected(at_least=-0.05)
    assert not one.decided
    more = [needed for needed in (one.needed_micrographs, one.needed_folds) if needed is not None]
    assert more
    assert one.needed_micrographs != 12
    assert one.needed_folds != 5
    hopeless = expected(at_least=-0.001)
    needed = hopeless.needed_micrographs, hopeless.needed_folds, hopeless.needed_both
    assert needed == (None, None, None)


def test_the_distance_is_measured_where_there_are_scores() -> None:
    assert expected(at_least=-0.05).distance == 0.05
    assert not expected(at_least=0.0).measured
    past = drawn(NAMES, ["dice"], (QUIET, design()), 1)
    one = expected(past=past, at_least=-0.3)
    assert one.measured
    assert one.distance == pytest.approx(0.3, abs=0.02)


def test_a_best_setting_has_no_half_width() -> None:
    at_best = {"best_over": "augment.noise.rho", "take": "setting"}
    one = expected(left=AG | at_best, right=AU | at_best, at_least=0.0)
    assert math.isnan(one.half_width)
    assert one.reason == "a best setting has no half-width"


def test_a_claim_on_no_cell_says_so() -> None:
    one = expected(left={"train": "Cu", "test": "Au"}, at_least=0.0)
    assert one.reason == "Cu → Au is not a part of the study"


def left_of(components: Components, micrographs: int = 12, **said: Any) -> float:
    claim = Claim.model_validate({"says": "a claim", "left": AG, "right": AU, **said})
    known = Prospect(PLANNED, Scores([], []), design(micrographs), lambda metric: components)
    return narrowed(claim, known, 5.0)


def test_networks_narrow_what_they_scatter() -> None:
    assert left_of(Components(0.05, 0.0, 0.05, 0.0), at_least=0.0) < 0.7
    assert left_of(Components(0.05, 0.05, 0.0005, 0.0), at_least=0.0) > 0.8
    assert left_of(PATCHES, micrographs=5, at_least=0.0) == 1.0


def test_the_variants_of_a_claim_are_those_of_its_cells() -> None:
    claim = Claim.model_validate({"says": "x", "left": AG, "right": AU, "at_least": 0.0})
    assert named_variants(claim, PLANNED) == {"base"}


def test_folds_that_are_repeated_see_every_micrograph_once_in_each_repeat() -> None:
    repeated = Design(10, {"Au": 12}, frozenset({("Au", "Au")}), parts=5)
    seen = [repeated.sees(NAMES[3]._replace(train="Au", test="Au"), fold) for fold in range(10)]
    assert seen[:5] == seen[5:]
    assert sorted(m for its in seen for m in its) == sorted([*range(12), *range(12)])
