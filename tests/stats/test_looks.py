from __future__ import annotations

import pytest
from scipy import special

from studyspec.spec.claims import Claim
from studyspec.stats.claims import Verdict, judge_all, judge_looks, percent
from studyspec.stats.intervals import LEVEL, BestOf, Estimate
from studyspec.stats.looks import ONCE, Look, levels, spent
from studyspec.stats.scores import CellName, Scores
from tests.stats.made_up import Noise, scores

FIFTHS = (0.2, 0.4, 0.6, 0.8, 1.0)
PLAIN = Estimate(0.3, 0.01, 20)


def test_bounds_are_those_published_for_five_looks() -> None:
    z = [-special.ndtri(tail) for tail in levels(FIFTHS, 0.025)]
    assert z == pytest.approx([4.8769, 3.3569, 2.6803, 2.2898, 2.0310], abs=2e-4)


def test_two_looks_spend_it_all_together() -> None:
    first, _ = levels((0.5, 1.0), 0.05)
    assert first == pytest.approx(spent(0.05, 0.5))
    assert spent(0.05, 1.0) == pytest.approx(0.05)
    same = levels((0.999, 1.0), 0.05)
    assert same[0] == pytest.approx(0.05, abs=1e-3)


def test_one_look_is_no_looking() -> None:
    assert ONCE.level(1) == ONCE.level(2) == LEVEL
    assert ONCE.bounds(PLAIN, 2) == pytest.approx(PLAIN.interval())
    assert ONCE.p_value(PLAIN, 0.1, 1) == PLAIN.p_value(0.1, 1)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_the_p_over_all_looks_is_the_level_that_would_decide(number: int) -> None:
    look = Look(number, FIFTHS)
    for alpha in (0.001, 0.025, 0.05, 0.2):
        assert look.overall(look.tail(alpha)) == pytest.approx(alpha, rel=0.02)
    assert look.overall(0.0) <= 1e-9
    assert look.overall(0.7) == 1.0


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize("value", [0.1, 0.2, 0.25, 0.3, 0.5])
def test_interval_and_p_agree_at_every_look(value: float, sides: int) -> None:
    estimate = Estimate(value, 0.01, 20)
    best = BestOf(value, [[estimate], [Estimate(0.05, 0.01, 20)]])
    for number in range(1, 6):
        look = Look(number, FIFTHS)
        for one in (estimate, best):
            p = look.p_value(one, 0.0, 2 if sides == 2 else 1)
            low, _ = look.bounds(one, 2 if sides == 2 else 1)
            assert (low > 0) == (p < 0.05)


def test_a_best_of_one_is_plain_at_every_look() -> None:
    look = Look(2, FIFTHS)
    one = BestOf(0.3, [[PLAIN]])
    assert look.bounds(one, 1) == pytest.approx(look.bounds(PLAIN, 1))
    assert look.p_value(one, 0.0, 1) == pytest.approx(look.p_value(PLAIN, 0.0, 1))


def claimed(bound: float) -> Claim:
    sides = {"left": {"train": "Ag", "test": "Au"}, "right": {"train": "Au", "test": "Au"}}
    return Claim.model_validate({"says": "a claim", **sides, "at_least": bound})


def made(difference: float) -> Scores:
    ours, theirs = CellName("base", "Ag", "Au"), CellName("base", "Au", "Au")
    return scores({ours: 0.8 + difference, theirs: 0.8}, Noise())


def both(first: float, second: float) -> Verdict:
    looks = [(Look(k + 1, (0.5, 1.0)), made(x)) for k, x in enumerate((first, second))]
    return judge_looks([claimed(-0.05)], looks)[0].verdict


def test_what_is_decided_at_a_look_stays_decided() -> None:
    assert both(0.0, -0.2).outcome == "held"
    assert both(-0.2, 0.0).outcome == "did not hold"
    assert both(-0.05, 0.0).look.number == 2


def test_a_verdict_at_a_look_says_its_level() -> None:
    verdict = both(0.0, 0.0)
    assert "one-sided 99.44 % bounds" in verdict.reason
    assert verdict.reason.split(";")[0].endswith("(look 1 of 2)")


def test_one_look_judges_as_ever() -> None:
    claims = [claimed(bound) for bound in (-0.05, -0.01, 0.01)]
    (looked, *_) = judge_looks(claims, [(ONCE, made(0.0))])
    assert looked.verdict == looked.alone[0]
    assert [one.verdict for one in judge_looks(claims, [(ONCE, made(0.0))])] == judge_all(
        claims, made(0.0)
    )


@pytest.mark.parametrize(
    ("level", "text"), [(0.95, "95 %"), (0.987, "98.7 %"), (0.99998, "99.9980 %")]
)
def test_levels_are_told_with_as_many_digits_as_they_need(level: float, text: str) -> None:
    assert percent(level) == text
