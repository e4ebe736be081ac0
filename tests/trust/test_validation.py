from __future__ import annotations

import pytest

from studyspec.trust.saved import shipped
from studyspec.trust.validation import auc, validate
from tests.trust.made_up import examples


def test_area_under_the_curve() -> None:
    assert auc([0.5, 0.6, 0.8, 0.9], [0.1, 0.2, 0.3, 0.4]) == 1.0
    assert auc([0.5, 0.6, 0.8, 0.9], [0.4, 0.3, 0.2, 0.1]) == 0.0
    assert auc([0.5, 0.9], [0.3, 0.3]) == 0.5
    assert auc([0.8, 0.9], [0.3, 0.3]) is None


@pytest.mark.slow
def test_held_out_conditions_are_foretold_better_than_by_both_baselines() -> None:
    found = validate(examples(conditions=5, each=30))
    assert found is not None
    assert len(found.held) == 5
    assert found.error < 0.08
    assert found.beats_both
    assert found.rank_correlation > 0.9


def test_too_few_conditions_are_not_validated() -> None:
    assert validate(examples(conditions=3, each=5)) is None


def test_what_is_shipped_was_validated_and_beats_both_baselines() -> None:
    learnt = shipped()
    assert learnt.validation is not None
    assert learnt.validation.beats_both
    assert learnt.validation.auc is not None
    assert learnt.validation.auc > 0.9
    assert 0.8 < learnt.validation.coverage < 0.98
