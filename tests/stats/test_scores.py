from __future__ import annotations

from dataclasses import replace

import pytest

from studyspec.spec.claims import Selector
from studyspec.stats.scores import CellName, own_set
from tests.stats.made_up import Noise, scores

BASE, BARE = CellName("base", "B", "B"), CellName("bare", "B", "B")


@pytest.mark.parametrize(
    ("known", "own"),
    [((BASE, BARE), BARE), ((BASE,), BASE), ((CellName("other", "B", "B"),), None)],
)
def test_the_own_set_is_of_the_variant_else_of_base(
    known: tuple[CellName, ...], own: CellName | None
) -> None:
    planned = {name[:3] for name in known}
    assert own_set(CellName("bare", "A", "B"), planned) == own


def test_own_chooses_the_own_set_of_each_training_set() -> None:
    made = scores({BASE: 0.9, CellName("bare", "B", "A"): 0.5})
    chosen = made.chosen(Selector(train="B", test="own", variant="bare"))
    assert chosen == [BASE]


def test_others_chooses_every_other_test_set() -> None:
    names = [CellName("base", "A", test) for test in "ABC"]
    made = scores(dict.fromkeys(names, 0.8))
    assert made.chosen(Selector(train="A", test="others")) == names[1:]


def test_the_name_of_a_sweep_chooses_its_points() -> None:
    names = [CellName(f"noisy[a={x}]", "A", "B") for x in (1, 2)]
    made = scores(dict.fromkeys([*names, CellName("noise", "A", "B")], 0.8))
    assert made.chosen(Selector(train="A", test="B", variant="noisy")) == names


def test_the_first_networks_alone_are_complete_where_they_are_all_there() -> None:
    names = [CellName("base", "A", "B"), CellName("base", "A", "C")]
    made = scores(dict.fromkeys(names, 0.8), Noise(folds=6))
    lost = [row for row in made.folds if (row.name, row.fold) != (names[1], 1)]
    made = replace(made, folds=lost, absent=dict.fromkeys(names, "planned"))
    found = made.upto({"base": 4})
    assert {row.fold for row in found.folds} == {row.fold for row in found.images} == {0, 1, 2, 3}
    assert found.absent == {names[1]: "planned"}
    assert made.upto({"other": 1}).absent == made.absent
