"""The twelve claims of the paper can be judged, once their cells are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from studyspec.spec.claims import Claim
from studyspec.spec.loading import load
from studyspec.spec.variants import expand
from studyspec.stats.claims import judge
from studyspec.stats.scores import CellName, Scores
from tests.stats.made_up import scores

STUDY = load(Path(__file__).parents[1] / "spec" / "claims.toml").study


@pytest.fixture(scope="module")
def made() -> Scores:
    """Every cell of the study at 0.8, and what the catalog would tell of its datasets."""
    variants = expand(STUDY)
    names = [CellName(v.name, *pair) for v in variants for pair in v.pairs]
    own = [name._replace(split="train") for name in names if name.train == name.test]
    numbers = ("pixel_scale_nm", "dose_e_per_A2", "diameter_nm")
    return scores(
        dict.fromkeys(names + own, 0.8),
        variants={v.name: v.changes for v in variants},
        columns={
            dataset: dict.fromkeys(numbers, 1.0 + i) for i, dataset in enumerate(STUDY.datasets)
        },
    )


@pytest.mark.parametrize("claim", STUDY.claims, ids=lambda claim: claim.says[:3])
def test_a_claim_of_the_paper_is_judged(claim: Claim, made: Scores) -> None:
    verdict = judge(claim, made)
    for part in verdict.parts or (verdict,):
        assert part.difference is not None, part.reason
        assert part.interval is not None
