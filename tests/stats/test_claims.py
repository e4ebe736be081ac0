from __future__ import annotations

import re
from typing import Any

import pytest

from studyspec.spec.claims import Claim
from studyspec.stats.claims import Verdict, families, judge, judge_all
from studyspec.stats.scores import CellName, Scores
from tests.stats.made_up import Noise, scores

AU, AG = {"train": "Au", "test": "Au"}, {"train": "Ag", "test": "Au"}
OWN, OFF = CellName("base", "Au", "Au"), CellName("base", "Ag", "Au")
SWEEP = "augment.noise.rho"


def claim(**said: Any) -> Claim:
    return Claim.model_validate({"says": "a claim", **said})


def compared(difference: float, noise: Noise | None = None, **bound: Any) -> Verdict:
    """The verdict on Ag → Au less Au → Au, when it is really `difference`."""
    made = scores({OWN: 0.8, OFF: 0.8 + difference}, noise)
    return judge(claim(left=AG, right=AU, **bound), made)


@pytest.mark.parametrize(
    ("difference", "bound", "outcome"),
    [
        (0.0, {"at_least": -0.05}, "held"),
        (-0.2, {"at_least": -0.05}, "did not hold"),
        (-0.05, {"at_least": -0.05}, "undecided"),
        (-0.2, {"at_most": -0.05}, "held"),
        (0.0, {"at_most": -0.05}, "did not hold"),
        (0.0, {"within": 0.05}, "held"),
        (0.2, {"within": 0.05}, "did not hold"),
        (-0.2, {"within": 0.05}, "did not hold"),
        (0.05, {"within": 0.05}, "undecided"),
    ],
)
def test_verdicts(difference: float, bound: dict[str, Any], outcome: str) -> None:
    verdict = compared(difference, **bound)
    assert verdict.outcome == outcome
    assert verdict.difference is not None
    assert verdict.interval == verdict.difference.bounds(2 if "within" in bound else 1)


def test_at_least_is_one_sided() -> None:
    low, high = compared(-0.02, within=0.5).interval or (0.0, 0.0)
    lower, upper = compared(-0.02, at_least=0.0).interval or (0.0, 0.0)
    assert low < lower < upper < high
    assert compared(-0.02, at_least=(low + lower) / 2).outcome == "held"
    assert compared(-0.02, at_least=lower + 1e-4).outcome == "undecided"
    assert compared(-0.02, at_most=upper + 1e-4).outcome == "held"


def test_the_reason_tells_difference_interval_and_what_was_claimed() -> None:
    reason = compared(-0.2, at_least=-0.05).reason
    number = r"−0\.\d{3}"
    said = rf"{number}, one-sided 95 % bounds {number} and {number}; claimed at least −0.050 "
    assert re.fullmatch(rf"{said}\(12 micrographs, 5 folds, variance-sum t\)", reason)


def test_on_five_micrographs_nothing_is_decided() -> None:
    verdict = compared(-0.4, Noise(micrographs=5), at_least=-0.05)
    assert verdict.outcome == "undecided"
    assert "no verdict on fewer than 6 micrographs" in verdict.reason
    assert compared(-0.4, Noise(micrographs=6), at_least=-0.05).outcome == "did not hold"


def test_a_missing_cell_leaves_a_claim_undecided_with_the_reason() -> None:
    made = scores({OWN: 0.8}, absent={OFF: "out of memory"})
    verdict = judge(claim(left=AG, right=AU, at_least=0.0), made)
    assert (verdict.outcome, verdict.difference) == ("undecided", None)
    assert verdict.reason == "Ag → Au is not complete: out of memory"


def test_own_and_others_choose_per_training_set() -> None:
    names = ("Au", "Ag")
    made = scores({CellName("base", a, b): 0.9 if a == b else 0.5 for a in names for b in names})
    own = {"train": ["Au", "Ag"], "test": "own"}
    others = {"train": ["Au", "Ag"], "test": "others"}
    verdict = judge(claim(left=own, right=others, at_least=0.1), made)
    assert verdict.outcome == "held"
    assert verdict.difference is not None
    assert verdict.difference.value == pytest.approx(0.4, abs=0.02)


def test_all_parts_must_hold() -> None:
    made = scores({OWN: 0.8, OFF: 0.6})
    holds = {"left": AG, "right": AU, "at_most": -0.1}
    fails = {"left": AG, "right": AU, "at_least": 0.0}
    open_ = {"left": AG, "right": AU, "at_most": -0.2}
    assert judge(claim(all=[holds, holds]), made).outcome == "held"
    assert judge(claim(all=[holds, fails]), made).outcome == "did not hold"
    verdict = judge(claim(all=[holds, open_]), made)
    assert verdict.outcome == "undecided"
    assert [part.outcome for part in verdict.parts] == ["held", "undecided"]


def test_a_family_of_claims_is_corrected() -> None:
    made = scores({OWN: 0.8, OFF: 0.78})
    interval = judge(claim(left=AG, right=AU, at_most=0.0), made).interval
    assert interval is not None
    barely = claim(left=AG, right=AU, at_most=interval[1] + 1e-6)
    verdicts = judge_all([barely] * 6, made)
    assert {verdict.outcome for verdict in verdicts} == {"undecided"}
    assert re.search(r"not as one of 6 claims \(Holm: p 0.3", verdicts[0].note)
    assert verdicts[0].reason.endswith(verdicts[0].note)
    assert judge_all([barely], made)[0].outcome == "held"


def test_families_are_corrected_apart() -> None:
    made = scores({OWN: 0.8, OFF: 0.78})
    interval = judge(claim(left=AG, right=AU, at_most=0.0), made).interval
    assert interval is not None
    said = {"left": AG, "right": AU, "at_most": interval[1] + 1e-6}
    claims = [claim(**said), claim(**said, family="other"), claim(**said, family="other")]
    assert families(claims) == {"": [0], "other": [1, 2]}
    verdicts = judge_all(claims, made)
    assert [verdict.outcome for verdict in verdicts] == ["held", "undecided", "undecided"]
    assert "one of 2 claims of the family other" in verdicts[1].note


def test_a_claim_of_parts_says_what_undid_it() -> None:
    made = scores({OWN: 0.8, OFF: 0.78})
    interval = judge(claim(left=AG, right=AU, at_most=0.0), made).interval
    assert interval is not None
    barely = {"left": AG, "right": AU, "at_most": interval[1] + 1e-6}
    never = {"left": AG, "right": AU, "at_most": interval[1] - 1e-3}
    verdicts = judge_all([claim(all=[barely, barely])] * 3, made)
    assert [part.outcome for part in verdicts[0].parts] == ["held", "held"]
    assert verdicts[0].outcome == "undecided"
    assert "held as a whole alone" in verdicts[0].note
    assert judge(claim(all=[barely, never]), made).note == "part 2 of 2 is undecided"


def test_one_refuted_part_of_several_counts_as_the_least_of_them() -> None:
    made = scores({OWN: 0.8, OFF: 0.78})
    low = (judge(claim(left=AG, right=AU, at_most=0.0), made).interval or (0.0,))[0]
    barely = {"left": AG, "right": AU, "at_most": low - 1e-6}
    holds = {"left": AG, "right": AU, "at_most": 0.5}
    verdict = judge(claim(all=[barely, holds]), made)
    assert [part.outcome for part in verdict.parts] == ["did not hold", "held"]
    assert verdict.outcome == "undecided"
    assert "not as one of 2 parts (Bonferroni" in verdict.note


def swept(means: dict[float, float], test: str = "Au", train: str = "Ag") -> dict[CellName, float]:
    return {CellName(f"noisy[{SWEEP}={rho}]", train, test): m for rho, m in means.items()}


def of_sweep(means: dict[CellName, float], seed: int = 0) -> Scores:
    at = {name.variant: name.variant.partition("=")[2].rstrip("]") for name in means}
    variants: dict[str, dict[str, Any]] = {v: {SWEEP: float(x)} if x else {} for v, x in at.items()}
    return scores(means, seed=seed, variants=variants)


def test_the_best_of_a_sweep_is_compared() -> None:
    made = of_sweep({OWN: 0.8, **swept({0.0: 0.5, 0.5: 0.85, 1.0: 0.6})})
    left = {**AG, "variant": "noisy", "best_over": SWEEP}
    verdict = judge(claim(left=left, right=AU, at_least=0.0), made)
    assert verdict.outcome == "held"
    assert f"noisy[{SWEEP}=0.5] is the best of 3 points" in verdict.reason


def test_the_best_settings_of_two_sweeps_are_compared() -> None:
    low, high = {0.0: 0.7, 0.5: 0.9, 1.0: 0.5}, {0.0: 0.5, 0.5: 0.6, 1.0: 0.9}
    made = of_sweep({**swept(low, "Au"), **swept(high, "Cu")})
    at_best = {"train": "Ag", "variant": "noisy", "best_over": SWEEP, "take": "setting"}
    said = {"left": {**at_best, "test": "Cu"}, "right": {**at_best, "test": "Au"}}
    verdict = judge(claim(**said, at_least=0.25), made)
    assert verdict.outcome == "held"
    assert verdict.difference is not None
    assert verdict.difference.value == 0.5
    assert "bootstrap" in verdict.difference.method


@pytest.mark.parametrize(("sign", "outcome"), [(-1, "held"), (1, "did not hold")])
def test_a_trend_over_a_column_is_the_sign_of_a_slope(sign: int, outcome: str) -> None:
    scale = {"a": 0.02, "b": 0.03, "c": 0.04}
    made = scores(
        {CellName("base", "a", test): 1.0 - 10 * nm for test, nm in scale.items()},
        columns={name: {"pixel_scale_nm": nm} for name, nm in scale.items()},
    )
    left = {"train": "a", "test": ["a", "b", "c"]}
    trend = {"over": "pixel_scale_nm", "sign": sign, "of": "ratio"}
    verdict = judge(claim(left=left, trend=trend), made)
    assert verdict.outcome == outcome
    assert verdict.difference is not None
    assert verdict.difference.value == pytest.approx(-0.2, abs=0.05)  # dice by ratio of scales


def test_a_trend_over_focus_goes_through_zero() -> None:
    focus = {"under": -20.0, "near": 0.0, "over": 20.0}
    made = scores(
        {CellName("base", "near", test): 0.7 + 0.005 * nm for test, nm in focus.items()},
        columns={name: {"defocus_nm": nm} for name, nm in focus.items()},
    )
    left = {"train": "near", "test": list(focus)}
    verdict = judge(claim(left=left, trend={"over": "defocus_nm", "sign": 1}), made)
    assert verdict.outcome == "held"
    assert verdict.difference is not None
    assert verdict.difference.value == pytest.approx(0.005, abs=0.002)  # dice by nm


def test_a_trend_over_a_swept_setting() -> None:
    made = of_sweep(swept({0.0: 0.9, 0.5: 0.7, 1.0: 0.5}))
    said = {"left": {**AG, "variant": "noisy"}, "trend": {"over": SWEEP, "sign": -1}}
    assert judge(claim(**said), made).outcome == "held"


def test_a_trend_over_what_nobody_knows_is_undecided() -> None:
    made = scores({OWN: 0.8, OFF: 0.7})
    said = {"left": {"train": ["Au", "Ag"], "test": "Au"}, "trend": {"over": "mood", "sign": 1}}
    verdict = judge(claim(**said), made)
    assert verdict.outcome == "undecided"
    assert verdict.reason == "mood takes fewer than two known values"
