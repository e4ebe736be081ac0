"""Claims judged: held, did not hold, or undecided, each with its difference and the reason.

"At least", "at most", a rise and a fall are one-sided: held if the 95 % bound on the side of the
claim lies where it was claimed, not held if the other bound does not. "Within" is two-sided: the
95 % interval counts. Between them, and on fewer than six micrographs, nothing is decided. At one of
several looks the level is that of the look (`studyspec.stats.looks`), and p counts all looks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from studyspec.spec.claims import Claim, Prediction
from studyspec.stats.choices import Choice, best_setting, chosen, slope
from studyspec.stats.differences import Difference, best_contrast, contrast, lacking, value_of
from studyspec.stats.intervals import LEVEL, Sides, holm
from studyspec.stats.looks import ONCE, Look
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
        p of the nearest bound, that the truth lies on the other side; 1 if undecided.
    parts
        The verdicts of a claim of several predictions.
    sides
        1 if one bound was claimed, 2 if the difference was to lie within two.
    note
        Which part, or which correction, made the verdict of the whole.
    look
        The look that it was judged at.
    """

    outcome: Outcome
    reason: str
    difference: Difference | None = None
    bounds: Bounds = ANYWHERE
    p: float = 1.0
    parts: tuple[Verdict, ...] = ()
    sides: Sides = 2
    note: str = ""
    look: Look = ONCE

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the difference, or its two one-sided 95 % bounds."""
        return None if self.difference is None else self.difference.bounds(self.sides, self.look)


@dataclass(frozen=True)
class Looked:
    """What came of a claim over several looks: the verdict, and what each look alone said."""

    verdict: Verdict
    alone: tuple[Verdict, ...]


def judge_all(claims: Sequence[Claim], scores: Scores) -> list[Verdict]:
    """The verdicts on all claims of a study.

    What is decided alone, but not after Holm's correction for its family, becomes undecided.
    """
    return _corrected(claims, [judge(claim, scores) for claim in claims])


def judge_looks(claims: Sequence[Claim], looks: Sequence[tuple[Look, Scores]]) -> list[Looked]:
    """What came of all claims of a study that was judged several times.

    What is decided at a look stays decided. Holm's correction takes of each claim the smallest p
    so far, which is valid over all looks.
    """
    alone: list[list[Verdict]] = []
    best: list[Verdict] = []
    told: list[Verdict] = []
    for look, scores in looks:
        now = [judge(claim, scores, look) for claim in claims]
        alone.append(now)
        best = [_better(*pair) for pair in zip(best or now, now, strict=True)]
        corrected = _corrected(claims, best)
        told = [_first(*pair) for pair in zip(told or corrected, corrected, strict=True)]
    return [Looked(told[i], tuple(now[i] for now in alone)) for i in range(len(claims))]


def _better(before: Verdict, now: Verdict) -> Verdict:
    """Of two verdicts on a claim alone the one that is surer; of two undecided ones the new."""
    return before if before.outcome != "undecided" and before.p <= now.p else now


def _first(before: Verdict, now: Verdict) -> Verdict:
    return now if before.outcome == "undecided" else before


def _corrected(claims: Sequence[Claim], verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts after Holm's correction for each family."""
    verdicts = list(verdicts)
    for family, places in families(claims).items():
        adjusted = holm([verdicts[i].p for i in places])
        for i, p in zip(places, adjusted, strict=True):
            if verdicts[i].outcome != "undecided" and p > 1 - LEVEL:
                verdicts[i] = _undone(verdicts[i], p, family, len(places))
    return verdicts


def families(claims: Sequence[Claim]) -> dict[str, list[int]]:
    """The places of the claims of each family; those that name none are one, named ""."""
    found: dict[str, list[int]] = {}
    for i, claim in enumerate(claims):
        found.setdefault(claim.family or "", []).append(i)
    return found


def judge(claim: Claim, scores: Scores, look: Look = ONCE) -> Verdict:
    """The verdict on one claim by itself: all of its predictions must hold.

    That all hold has the largest p of the parts (an intersection-union test, Berger 1982); that one
    did not hold has the smallest times their number (Bonferroni).
    """
    parts = tuple(_judge(prediction, scores, look) for prediction in claim.predictions)
    if len(parts) == 1:
        return parts[0]
    outcomes = [part.outcome for part in parts]
    outcome: Outcome = "held"
    note, p = "", max(part.p for part in parts)
    if "did not hold" in outcomes:
        failed = [part.p for part in parts if part.outcome == "did not hold"]
        p = min(1.0, len(parts) * min(failed))
        outcome = "did not hold" if p <= 1 - LEVEL else "undecided"
        note = _which("did not hold", outcomes)
        if outcome == "undecided":
            note += f", but not as one of {len(parts)} parts (Bonferroni: p {number(p)})"
    elif "undecided" in outcomes:
        outcome, note = "undecided", _which("undecided", outcomes)
    reason = "; ".join(f"{i}: {part.outcome}, {part.reason}" for i, part in enumerate(parts, 1))
    return Verdict(outcome, reason, p=p, parts=parts, note=note, look=look)


def _which(outcome: Outcome, outcomes: Sequence[Outcome]) -> str:
    """As "part 2 of 3 is undecided"."""
    places = [str(i) for i, one in enumerate(outcomes, 1) if one == outcome]
    parts, verb = ("part", "is") if len(places) == 1 else ("parts", "are")
    said = outcome if outcome == "did not hold" else f"{verb} {outcome}"
    return f"{parts} {', '.join(places)} of {len(outcomes)} {said}"


def _undone(verdict: Verdict, p: float, family: str, n: int) -> Verdict:
    """A verdict that Holm's correction took back."""
    alone = "decided" if not verdict.parts else f"{verdict.outcome} as a whole"
    among = f"one of {n} claims" + (f" of the family {family}" if family else "")
    said = f"{alone} alone (p {number(verdict.p)}), but not as {among} (Holm: p {number(p)})"
    note = f"{verdict.note}; {said}" if verdict.note else said
    return replace(verdict, outcome="undecided", reason=f"{verdict.reason}; {said}", note=note)


def number(value: float) -> str:
    """Three decimals, or two digits of what is smaller, and a true minus."""
    text = f"{value:.3f}" if abs(value) >= SMALL or value == 0 else f"{value:.1e}"
    return text.replace("-", "−")


def percent(level: float) -> str:
    """As "95 %", or "99.980 %": with two digits of what is missing."""
    missing = 100 * (1 - level)
    if math.isclose(missing, round(missing), abs_tol=1e-9) and missing > SMALL:
        return f"{100 * level:.0f} %"
    return f"{100 * level:.{max(1, 1 - math.floor(math.log10(missing)))}f} %"


def _judge(prediction: Prediction, scores: Scores, look: Look) -> Verdict:
    bounds = bounds_of(prediction)
    found, note = difference_of(prediction, scores)
    if isinstance(found, str):
        return Verdict("undecided", found, bounds=bounds, look=look)
    verdict = _decide(found, bounds, sides_of(prediction), look)
    return replace(verdict, reason=f"{verdict.reason}; {note}") if note else verdict


def difference_of(prediction: Prediction, scores: Scores) -> tuple[Difference | str, str]:
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
        choices = []
        for sign, side in sides.items():
            choices.append(chosen(side, scores, sign))
            scores = choices[-1].scores or scores
    pieces = [piece for choice in choices for piece in choice.pieces]
    reason = next((choice.reason for choice in choices if choice.reason), "")
    reason = reason or lacking(scores, pieces)
    note = "; ".join(choice.note for choice in choices if choice.note)
    if reason:
        return reason, ""
    if any(choice.points for choice in choices):
        return _of_best(choices, scores), note
    return contrast(scores, pieces), note


def _of_best(choices: Sequence[Choice], scores: Scores) -> Difference:
    """The difference of two sides, one or both of which are the best of a sweep."""
    value = sum(
        piece.weight * value_of(scores, piece.name, piece.metric)
        for choice in choices
        for piece in choice.pieces
    )
    left, right = choices
    first, second = (choice.points or [choice.pieces] for choice in choices)
    high = left.high if left.points else right.high
    return best_contrast(scores, *((first, second) if high else (second, first)), value)


def sides_of(prediction: Prediction) -> Sides:
    """2 if a prediction is two-sided, as "within" is; else 1."""
    return 2 if prediction.within is not None else 1


def bounds_of(prediction: Prediction) -> Bounds:
    """Where a difference is claimed to be: lowest and highest."""
    if prediction.trend is not None:
        return (0.0, math.inf) if prediction.trend.sign == 1 else (-math.inf, 0.0)
    if prediction.within is not None:
        return -prediction.within, prediction.within
    low = -math.inf if prediction.at_least is None else prediction.at_least
    high = math.inf if prediction.at_most is None else prediction.at_most
    return low, high


def _decide(difference: Difference, bounds: Bounds, sides: Sides, look: Look) -> Verdict:
    low, high = difference.bounds(sides, look)
    said = _said(difference, bounds, sides, look)
    if difference.micrographs < FEWEST_MICROGRAPHS:
        said += f"; no verdict on fewer than {FEWEST_MICROGRAPHS} micrographs"
        return Verdict("undecided", said, difference, bounds, sides=sides, look=look)
    finite = [bound for bound in bounds if math.isfinite(bound)]
    p = max(look.p_value(difference.estimate, bound, sides) for bound in finite)
    if bounds[0] <= low and high <= bounds[1]:
        return Verdict("held", said, difference, bounds, p, sides=sides, look=look)
    if high < bounds[0] or low > bounds[1]:
        return Verdict("did not hold", said, difference, bounds, p, sides=sides, look=look)
    beyond = f"{said}; {'the interval reaches' if sides == 2 else 'the bounds reach'} beyond"
    return Verdict("undecided", beyond, difference, bounds, sides=sides, look=look)


def _said(difference: Difference, bounds: Bounds, sides: Sides, look: Look) -> str:
    low, high = bounds
    if math.isinf(high):
        claimed = f"at least {number(low)}"
    elif math.isinf(low):
        claimed = f"at most {number(high)}"
    else:
        claimed = f"within ± {number(high)}"
    first, last = (number(end) for end in difference.bounds(sides, look))
    level = percent(look.level(sides))
    known = (
        f"{level} interval {first} to {last}"
        if sides == 2
        else f"one-sided {level} bounds {first} and {last}"
    )
    if look.planned > 1:
        known += f" (look {look.number} of {look.planned})"
    return (
        f"{number(difference.value)}, {known}; claimed {claimed} "
        f"({difference.micrographs} micrographs, {difference.folds} folds, {difference.method})"
    )
