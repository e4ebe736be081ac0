from __future__ import annotations

from dataclasses import replace

from studyspec.trust.conditions import Conditions
from studyspec.trust.next import propose
from tests.trust.made_up import examples

DOSES = (80.0, 423.0, 884.0)


def test_new_combinations_are_proposed_and_each_narrows() -> None:
    made = examples(1, 4)
    tested = [Conditions("Au", 0.02, dose, 5.0) for dose in DOSES]
    tested += [Conditions("CdSe", 0.04, 423.0, 5.0)]
    found = propose([replace(made[0], condition=one) for one in tested], 3)
    assert len({one.condition for one in found}) == 3
    assert not {one.condition for one in found} & set(tested)
    assert all(one.then < one.half_width < 0.5 for one in found)
    assert found[0].gain >= found[1].gain
    assert found[0].command.startswith("studyspec catalog simulate --material")


def test_where_all_was_tested_nothing_is_proposed() -> None:
    assert propose(examples(1, 4), 3) == ()
