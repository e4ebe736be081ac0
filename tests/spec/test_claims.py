from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from studyspec.spec.claims import Claim, Prediction
from studyspec.spec.loading import load

PAPER = load(Path(__file__).with_name("claims.toml")).study
CELL = {"train": "Au", "test": "Ag"}
OTHER = {"train": "Ag", "test": "Ag"}


def test_all_claims_of_the_paper_can_be_written() -> None:
    assert [claim.says.partition(":")[0] for claim in PAPER.claims] == [
        f"C{number}" for number in range(1, 13)
    ]


@pytest.mark.parametrize("claim", PAPER.claims, ids=lambda claim: claim.says[:3])
def test_a_claim_comes_back_from_its_json(claim: Claim) -> None:
    assert Claim.model_validate(claim.model_dump(mode="json", exclude_unset=True)) == claim
    assert len(claim.predictions) == max(1, len(claim.all))


def test_a_plain_claim_is_its_own_prediction() -> None:
    claim = Claim.model_validate({"says": "a", "left": CELL, "right": OTHER, "within": 0.1})
    assert claim.predictions == (claim,)
    assert list(claim.sides) == ["left", "right"]


def test_what_a_selector_leaves_out() -> None:
    left = Claim.model_validate({"says": "a", "left": CELL, "right": OTHER, "within": 0.1}).left
    assert left is not None
    assert (left.variant, left.split, left.metric, left.take) == ("base", "test", "dice", "score")


@pytest.mark.parametrize("test", ["own", "others", "Ag", ("Au", "Ag")])
def test_what_test_may_be(test: str | tuple[str, ...]) -> None:
    prediction = Prediction.model_validate(
        {"left": {"train": "Au", "test": test}, "trend": {"over": "dose", "sign": 1}}
    )
    assert prediction.left is not None
    assert prediction.left.test == test


@pytest.mark.parametrize(
    ("bound", "metric", "match"),
    [
        ({"at_least": 2.0}, "dice", "no data could hold it: left - right lies between -1 and 1"),
        ({"at_least": 1.0}, "recall", "no data could hold it"),
        ({"at_least": -1.0}, "dice_micro", "no data could refute it"),
        ({"at_most": -1.5}, "dice", "no data could hold it"),
        ({"at_most": 1.0}, "boundary_dice", "no data could refute it"),
        ({"within": 1.0}, "dice", "no data could refute it"),
        ({"within": 0.0}, "dice", "greater than 0"),
        ({"at_most": 2.0}, "dice_drop", "no data could refute it: left - right lies between -2"),
    ],
)
def test_a_bound_that_decides_nothing_is_refused(
    bound: dict[str, float], metric: str, match: str
) -> None:
    sides = {"left": CELL | {"metric": metric}, "right": OTHER | {"metric": metric}}
    with pytest.raises(ValidationError, match=match):
        Prediction.model_validate({**sides, **bound})


@pytest.mark.parametrize("metric", ["loss", "normalized"])
def test_a_metric_without_known_bounds_may_differ_by_anything(metric: str) -> None:
    sides = {"left": CELL | {"metric": metric}, "right": OTHER | {"metric": metric}}
    assert Prediction.model_validate({**sides, "at_least": 2.0}).at_least == 2


def test_the_best_of_a_sweep_is_not_chosen_by_what_is_best_near_zero() -> None:
    left = CELL | {"metric": "diameter_bias_nm", "best_over": "augment.noise.rho"}
    with pytest.raises(ValidationError, match="diameter_bias_nm is best near zero"):
        Prediction.model_validate({"left": left, "right": OTHER, "at_least": 0.0})
