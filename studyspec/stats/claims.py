"""Claims judged: held, did not hold, or undecided, each with its difference and the reason.

A claim is held when the whole 95 % interval lies where it was claimed, and did not hold when none
of it does. Between them, and on fewer than six micrographs, nothing is decided.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from studyspec.spec.claims import Claim, Prediction
from studyspec.stats.choices import best_setting, chosen, slope
from studyspec.stats.differences import Difference, contrast, lacking
from studyspec.stats.intervals import LEVEL, holm
from studyspec.stats.scores import Scores

Outcome = Literal["held", "did not hold", "undecided"]
SMALL = 5e-4
FEWEST_MICROGRAPHS = 6
Bounds = tuple[float, float]
ANYWHERE: Bounds = (-math.inf, math.inf)


@dataclass(frozen=True)
class Verdict:
    """What came of a claim.

    Attributes
    ----------
    outcome
        Whether it held.
    reason
        The numbers behind it, or why there is none, in words.
    difference
        The difference (or slope) with its interval; None if it could not be computed or the claim
        has several parts.
    bounds
        Where the difference was claimed to be: lowest and highest.
    p
        Two-sided p of the nearest bound, that the truth lies on the other side; 1 if undecided.
    parts
        The verdicts of a claim of several predictions.
    """

    outcome: Outcome
    reason: str
    difference: Difference | None = None
    bounds: Bounds = ANYWHERE
    p: float = 1.0
    parts: tuple[Verdict, ...] = ()

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the difference."""
        return None if self.difference is None else (self.difference.low, self.difference.high)


def judge_all(claims: Sequence[Claim], scores: Scores) -> list[Verdict]:
    """The verdicts on all claims of a study, which are one family.

    What is decided alone, but not after Holm's correction for the family, becomes undecided.
    """
    verdicts = [judge(claim, scores) for claim in claims]
    adjusted = holm([verdict.p for verdict in verdicts])
    note = f"decided alone, but not as one of {len(claims)} claims (Holm)"
    return [
        replace(verdict, outcome="undecided", reason=f"{verdict.reason}; {note}")
        if verdict.outcome != "undecided" and p > 1 - LEVEL
        else verdict
        for verdict, p in zip(verdicts, adjusted, strict=True)
    ]


def judge(claim: Claim, scores: Scores) -> Verdict:
    """The verdict on one claim by itself: all of its predictions must hold."""
    parts = tuple(_judge(prediction, scores) for prediction in claim.predictions)
    if len(parts) == 1:
        return parts[0]
    reason = "; ".join(f"{i}: {part.outcome}, {part.reason}" for i, part in enumerate(parts, 1))
    failed = [part.p for part in parts if part.outcome == "did not hold"]
    if failed:
        return Verdict("did not hold", reason, p=min(1.0, len(parts) * min(failed)), parts=parts)
    held = all(part.outcome == "held" for part in parts)
    outcome: Outcome = "held" if held else "undecided"
    return Verdict(outcome, reason, p=max(part.p for part in parts), parts=parts)


def number(value: float) -> str:
    """Three decimals, or two digits of what is smaller, and a true minus."""
    text = f"{value:.3f}" if abs(value) >= SMALL or value == 0 else f"{value:.1e}"
    return text.replace("-", "−")


def _judge(prediction: Prediction, scores: Scores) -> Verdict:
    bounds = _bounds(prediction)
    found, note = _difference(prediction, scores)
    if isinstance(found, str):
        return Verdict("undecided", found, bounds=bounds)
    verdict = _decide(found, bounds)
    return replace(verdict, reason=f"{verdict.reason}; {note}") if note else verdict


def _difference(prediction: Prediction, scores: Scores) -> tuple[Difference | str, str]:
    """The difference that a prediction speaks of, or why there is none; and a note on it."""
    sides = dict(zip((1, -1), prediction.sides.values(), strict=False))
    settings = {side.take == "setting" for side in sides.values()}
    if settings == {True, False}:
        return "a setting cannot be compared with a score", ""
    if settings == {True}:
        return best_setting(sides, scores), ""
    if prediction.trend is not None:
        side = sides[1]
        choices = [slope(prediction.trend, scores.chosen(side), side.metric, scores)]
    else:
        choices = [chosen(side, scores, sign) for sign, side in sides.items()]
    pieces = [piece for choice in choices for piece in choice.pieces]
    reason = next((choice.reason for choice in choices if choice.reason), "")
    reason = reason or lacking(scores, pieces)
    note = "; ".join(choice.note for choice in choices if choice.note)
    return (reason, "") if reason else (contrast(scores, pieces), note)


def _bounds(prediction: Prediction) -> Bounds:
    if prediction.trend is not None:
        return (0.0, math.inf) if prediction.trend.sign == 1 else (-math.inf, 0.0)
    if prediction.within is not None:
        return -prediction.within, prediction.within
    low = -math.inf if prediction.at_least is None else prediction.at_least
    high = math.inf if prediction.at_most is None else prediction.at_most
    return low, high


def _decide(difference: Difference, bounds: Bounds) -> Verdict:
    low, high = difference.low, difference.high
    said = _said(difference, bounds)
    if difference.micrographs < FEWEST_MICROGRAPHS:
        said += f"; no verdict on fewer than {FEWEST_MICROGRAPHS} micrographs"
        return Verdict("undecided", said, difference, bounds)
    p = max(difference.estimate.p_value(bound) for bound in bounds if math.isfinite(bound))
    if bounds[0] <= low and high <= bounds[1]:
        return Verdict("held", said, difference, bounds, p)
    if high < bounds[0] or low > bounds[1]:
        return Verdict("did not hold", said, difference, bounds, p)
    return Verdict("undecided", f"{said}; the interval reaches beyond", difference, bounds)


def _said(difference: Difference, bounds: Bounds) -> str:
    low, high = bounds
    if math.isinf(high):
        claimed = f"at least {number(low)}"
    elif math.isinf(low):
        claimed = f"at most {number(high)}"
    else:
        claimed = f"within ± {number(high)}"
    return (
        f"{number(difference.value)}, 95 % interval {number(difference.low)} to "
        f"{number(difference.high)}; claimed {claimed} ({difference.micrographs} micrographs, "
        f"{difference.folds} folds, {difference.method})"
    )
