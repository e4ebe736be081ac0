from __future__ import annotations

from pathlib import Path

import pytest

from studyspec.spec.claims import Claim, Prediction
from studyspec.spec.loading import load

PAPER = load(Path(__file__).with_name("claims.toml")).study
CELL = {"train": "Au", "test": "Ag"}


def test_all_claims_of_the_paper_can_be_written() -> None:
    assert [claim.says.partition(":")[0] for claim in PAPER.claims] == [
        f"C{number}" for number in range(1, 13)
    ]


@pytest.mark.parametrize("claim", PAPER.claims, ids=lambda claim: claim.says[:3])
def test_a_claim_comes_back_from_its_json(claim: Claim) -> None:
    assert Claim.model_validate(claim.model_dump(mode="json", exclude_unset=True)) == claim
    assert len(claim.predictions) == max(1, len(claim.all))


def test_a_plain_claim_is_its_own_prediction() -> None:
    claim = Claim.model_validate({"says": "a", "left": CELL, "right": CELL, "within": 0.1})
    assert claim.predictions == (claim,)
    assert list(claim.sides) == ["left", "right"]


def test_what_a_selector_leaves_out() -> None:
    left = Claim.model_validate({"says": "a", "left": CELL, "right": CELL, "within": 0}).left
    assert left is not None
    assert (left.variant, left.split, left.metric, left.take) == ("base", "test", "dice", "score")


@pytest.mark.parametrize("test", ["own", "others", "Ag", ("Au", "Ag")])
def test_what_test_may_be(test: str | tuple[str, ...]) -> None:
    prediction = Prediction.model_validate(
        {"left": {"train": "Au", "test": test}, "trend": {"over": "dose", "sign": 1}}
    )
    assert prediction.left is not None
    assert prediction.left.test == test
