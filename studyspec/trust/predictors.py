"""Predictors: the numbers that an expected dice is made of, each stated once. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from studyspec.trust.conditions import Differences
from studyspec.trust.figures import FIGURES, AnswerFigures

if TYPE_CHECKING:
    from studyspec.learn.answers import Shift

Group = Literal["conditions", "image", "answer", "folds", "others"]
Real = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """All that is known of a (network, image) without a label; None where it is not.

    Attributes
    ----------
    differences
        Of conditions, between training set and image.
    strangeness
        How far the image's figures lie from those of the training set [sd], (F,).
    shift
        How far the image lies from what the network's norms remember.
    answer
        Statistics of the answer.
    folds
        Mean dice with the answers of the other folds.
    others
        Dice with what other networks say on average.
    """

    differences: Differences
    strangeness: Real | None
    shift: Shift | None
    answer: AnswerFigures
    folds: float | None = None
    others: float | None = None


@dataclass(frozen=True)
class Predictor:
    """One number.

    Attributes
    ----------
    name, meaning
        For tables, and for people.
    group
        What must be known for it.
    sign
        1: the expected dice never falls as it grows; -1: never rises; 0: either may be.
    of
        Makes it; None is unknown.
    """

    name: str
    meaning: str
    group: Group
    sign: int
    of: Callable[[Evidence], float | None]


def _size(value: float | None) -> float | None:
    return None if value is None else abs(value)


def _figure(name: str) -> Callable[[Evidence], float | None]:
    place = FIGURES.index(name)
    return lambda e: None if e.strangeness is None else float(e.strangeness[place])


def _phase(name: str) -> Callable[[Evidence], float | None]:
    return lambda e: (
        None if e.differences.phase is None else abs(getattr(e.differences.phase, name))
    )


def _logit(p: float) -> float:
    held = min(max(p, 0.002), 0.998)
    return math.log(held / (1 - held))


PREDICTORS: tuple[Predictor, ...] = (
    Predictor("scale", "|log| ratio of pixel scales", "conditions", -1,
              lambda e: _size(e.differences.log_pixel_scale)),
    Predictor("dose", "log ratio of doses, image over training", "conditions", 1,
              lambda e: e.differences.log_dose),
    Predictor("diameter", "log ratio of diameters", "conditions", 0,
              lambda e: e.differences.log_diameter),
    Predictor("material", "same material", "conditions", 1,
              lambda e: e.differences.same_material),
    Predictor("session", "same session", "conditions", 1,
              lambda e: e.differences.same_session),
    Predictor("phase_mean", "mean phase by which the lenses differ [rad]", "conditions", -1,
              _phase("mean")),
    Predictor("phase_spread", "its standard deviation [rad]", "conditions", -1,
              _phase("spread")),
    Predictor("strange_contrast", "contrast, away from the training set [sd]", "image", -1,
              _figure("contrast")),
    Predictor("strange_skewness", "skewness, away from the training set [sd]", "image", -1,
              _figure("skewness")),
    Predictor("strange_roughness", "roughness, away from the training set [sd]", "image", -1,
              _figure("roughness")),
    Predictor("strange_power", "power in bands, away from the training set [sd]", "image", -1,
              lambda e: None if e.strangeness is None else float(e.strangeness[-5:].mean())),
    Predictor("shift_mean", "means in the network, away from training [sd]", "answer", -1,
              lambda e: None if e.shift is None else e.shift.mean),
    Predictor("shift_spread", "|log| ratio of variances in the network", "answer", -1,
              lambda e: None if e.shift is None else e.shift.spread),
    Predictor("confidence", "soft dice confidence [logit]", "answer", 1,
              lambda e: _logit(e.answer.confidence)),
    Predictor("entropy", "entropy of the pixels, per pixel of particle [nat]", "answer", -1,
              lambda e: e.answer.entropy),
    Predictor("turned", "dice with the answer for the turned image [logit]", "answer", 1,
              lambda e: _logit(e.answer.turned)),
    Predictor("certainty", "mean probability within particles [logit]", "answer", 1,
              lambda e: _logit(e.answer.certainty)),
    Predictor("particle", "share of particle [logit]", "answer", 0,
              lambda e: _logit(e.answer.particle)),
    Predictor("folds", "mean dice with the other folds [logit]", "folds", 1,
              lambda e: None if e.folds is None else _logit(e.folds)),
    Predictor("others", "dice with what other networks say on average [logit]", "others", 1,
              lambda e: None if e.others is None else _logit(e.others)),
)  # fmt: skip
NAMES = tuple(one.name for one in PREDICTORS)
CONFIDENCE = NAMES.index("confidence")


def values_of(evidence: Evidence) -> Real:
    """The predictors of a (network, image), NaN where unknown; in the order of `PREDICTORS`."""
    found = (one.of(evidence) for one in PREDICTORS)
    return np.array([math.nan if value is None else float(value) for value in found])


def columns_of(group: Group) -> list[int]:
    """Where the predictors of a group stand."""
    return [i for i, one in enumerate(PREDICTORS) if one.group == group]
