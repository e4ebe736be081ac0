"""Reasons: why a dice is expected, in words. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from studyspec.trust.baselines import FAR
from studyspec.trust.conditions import distance
from studyspec.trust.evidence import Found
from studyspec.trust.examples import Example
from studyspec.trust.model import TrustModel
from studyspec.trust.predictors import NAMES, Real

TELLING = 0.015
"""A predictor that moves the expected dice by less is not told of."""
MOST = 3


def reasons(found: Found, example: Example, model: TrustModel) -> tuple[str, ...]:
    """Why this dice is expected: the nearest tested condition, then what moves it most."""
    told = [*_nearest(example, model)]
    said = dict(_said(found))
    effects = _effects(example.values, model)
    moving = sorted((n for n in effects if n in said), key=lambda name: -abs(effects[name]))
    strong = [name for name in moving if abs(effects[name]) >= TELLING][:MOST]
    told += [said[name] for name in strong or moving[:1]]
    return tuple(dict.fromkeys(told))


def _nearest(example: Example, model: TrustModel) -> Iterator[str]:
    near = model.baselines.nearest_tested(example.family, example.condition)
    if near is None or distance(near.condition, example.condition) > FAR:
        return
    who = "it" if example.family in model.baselines.tested else "other networks"
    yield f"like images of {near.condition.text}, on which {who} reached {near.dice:.2f}"


def _effects(values: Real, model: TrustModel) -> dict[str, float]:
    """How far the expected dice lies from what it were if a predictor was as usual."""
    usual = model.usual
    rows = np.repeat(values[None], len(NAMES) + 1, axis=0)
    for i in range(len(NAMES)):
        if not math.isnan(values[i]):
            rows[i + 1, i] = usual[i]
    expected = model.regression.expected(rows)
    return {name: float(expected[0] - expected[i + 1]) for i, name in enumerate(NAMES)}


def _said(found: Found) -> Iterator[tuple[str, str]]:
    """What there is to say of each predictor."""
    answer, evidence = found.answer, found.evidence
    if not answer.particle:
        yield "confidence", "it finds nothing"
        yield "particle", "it finds nothing"
        return
    yield "confidence", f"soft dice confidence {answer.confidence:.2f}"
    yield "entropy", f"{_doubt(answer.entropy)} about its pixels"
    yield "certainty", f"{answer.certainty:.0%} sure of the particles it marks"
    yield "turned", f"the answer for the turned image agrees to {answer.turned:.0%}"
    yield "particle", f"{answer.particle:.1%} of the image is particle"
    if evidence.folds is not None:
        yield "folds", f"the other folds disagree on {1 - evidence.folds:.0%} of the particles"
    if evidence.others is not None:
        yield "others", f"the other networks agree to {evidence.others:.0%}"
    if evidence.shift is not None:
        shift = evidence.shift
        yield "shift_mean", f"brightness in the network is {shift.mean:.1f} sd from training"
        factor = math.exp(shift.spread)
        yield "shift_spread", f"contrast in the network differs {factor:.1f} times from training"
    yield from _conditions(found)


def _conditions(found: Found) -> Iterator[tuple[str, str]]:
    different = found.evidence.differences
    if different.log_pixel_scale is not None and abs(different.log_pixel_scale) > 0.05:
        yield "scale", f"pixels {math.exp(different.log_pixel_scale):.2g} times those of training"
    if different.log_dose is not None and abs(different.log_dose) > 0.05:
        yield "dose", f"{math.exp(different.log_dose):.2g} times the dose of training"
    if different.log_diameter is not None and abs(different.log_diameter) > 0.05:
        yield "diameter", f"particles {math.exp(different.log_diameter):.2g} times as large"
    if different.same_material is False:
        yield "material", "another material than in training"
    if different.phase is not None and different.phase.spread > 0.1:
        yield "phase_spread", f"the lens differs by a phase of {different.phase.spread:.1f} rad"
    if found.evidence.strangeness is not None:
        for name, place in (("contrast", 0), ("skewness", 1), ("roughness", 3)):
            away = found.evidence.strangeness[place]
            yield f"strange_{name}", f"its {name} is {away:.1f} sd from the training images"


def _doubt(entropy: float) -> str:
    return "much doubt" if entropy > 1.0 else "some doubt" if entropy > 0.4 else "little doubt"
