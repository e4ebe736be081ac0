"""Next: the conditions whose images would narrow expectations the most. Pure.

A condition is made of the values that tested conditions have, put together anew. Where it lies far
from all that was tested, the mean dice of a condition is foretold with a spread that grows with
the distance (a Gaussian process over conditions, its length and noise fixed); a new test narrows
it there and nearby, and what is narrowed is summed over all conditions that could be met.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from studyspec.trust.conditions import NUMBERS, Conditions
from studyspec.trust.examples import Example
from studyspec.trust.predictors import Real

LENGTH = 0.7
"""Distance over which conditions are alike; a factor 2 in dose is 0.69."""
SPREAD = 0.25
"""Standard deviation of dice where nothing is like what was tested."""
NOISE = 0.05
DEFOCUS_NM = 25.0
"""Defocus that counts as a distance of 1."""
OTHER_MATERIAL = 0.5
MOST = 600
"""Conditions that are compared at most."""


@dataclass(frozen=True)
class Proposal:
    """A condition to label or to simulate.

    Attributes
    ----------
    condition
        How images should be taken.
    half_width, then
        Half-width of the 90 % interval of its mean dice by conditions alone, now and once it is
        tested.
    gain
        By how much the mean half-width over all conditions that could be met falls.
    nearest, away
        The nearest condition that was tested, and how far it is.
    command
        How to simulate it.
    """

    condition: Conditions
    half_width: float
    then: float
    gain: float
    nearest: Conditions
    away: float
    command: str


def propose(examples: Sequence[Example], n: int) -> tuple[Proposal, ...]:
    """The best n conditions, one after the other, each as if those before were tested."""
    tested = list(dict.fromkeys(one.condition for one in examples))
    space = [*tested, *_combined(tested)]
    places = _coordinates(space)
    apart = np.sqrt(((places[:, None] - places[None]) ** 2).sum(axis=2))
    covariance = SPREAD**2 * np.exp(-0.5 * (apart / LENGTH) ** 2)
    at = list(range(len(tested)))
    found: list[Proposal] = []
    for _ in range(min(n, len(space) - len(tested))):
        posterior = _posterior(covariance, at)
        variance = np.clip(np.diag(posterior), 1e-9, None)
        narrowed = posterior**2 / (variance + NOISE**2)[:, None]
        after = np.sqrt(np.clip(variance[None] - narrowed, 1e-9, None))
        gains = (np.sqrt(variance)[None] - after).mean(axis=1) * 1.645
        gains[at] = -1.0
        best = int(gains.argmax())
        near = min(range(len(tested)), key=lambda i, best=best: apart[best, i])  # type: ignore[misc]
        found.append(
            Proposal(
                space[best],
                1.645 * float(np.sqrt(variance[best])),
                1.645 * float(after[best, best]),
                float(gains[best]),
                tested[near],
                float(apart[best, near]),
                _command(space[best]),
            )
        )
        at.append(best)
    return tuple(found)


def _posterior(covariance: Real, at: Sequence[int]) -> Real:
    """Covariance of all conditions once those at some places are known."""
    known = covariance[np.ix_(at, at)] + NOISE**2 * np.eye(len(at))
    across = covariance[:, at]
    return np.asarray(covariance - across @ np.linalg.solve(known, across.T))


def _coordinates(space: Sequence[Conditions]) -> Real:
    """Where conditions lie: logarithms of their numbers, defocus, and an axis for each material."""
    materials = sorted({one.material or "" for one in space})
    rows = []
    for one in space:
        numbers = [math.log(getattr(one, name) or 1.0) for name in NUMBERS]
        own = [OTHER_MATERIAL * (one.material == material) for material in materials]
        rows.append([*numbers, (one.defocus_nm or 0.0) / DEFOCUS_NM, *own])
    return np.array(rows)


def _combined(tested: Sequence[Conditions]) -> list[Conditions]:
    """New combinations of material and the numbers, of the values that there are."""
    materials = list(dict.fromkeys(one.material for one in tested))
    scales, doses, diameters = (_few([getattr(one, name) for one in tested]) for name in NUMBERS)
    made = [
        Conditions(material, scale, dose, diameter)
        for material, scale, dose, diameter in product(materials, scales, doses, diameters)
    ]
    known = {(c.material, c.pixel_scale_nm, c.dose_e_per_A2, c.diameter_nm) for c in tested}
    made = [
        c for c in made
        if (c.material, c.pixel_scale_nm, c.dose_e_per_A2, c.diameter_nm) not in known
    ]  # fmt: skip
    step = -(-len(made) // MOST) if made else 1
    return made[::step]


def _few(values: Sequence[float | None]) -> list[float | None]:
    """Some values over their range, the least and the greatest among them."""
    known = sorted({value for value in values if value is not None})
    if not known:
        return [None]
    distinct = [known[0]]
    for value in known[1:]:
        if value > 1.15 * distinct[-1]:
            distinct.append(value)
    return list(distinct)


def _command(condition: Conditions) -> str:
    options = {
        "--material": condition.material,
        "--diameter-nm": condition.diameter_nm,
        "--pixel-scale-nm": condition.pixel_scale_nm,
        "--dose": condition.dose_e_per_A2,
    }
    told = [f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in options.items() if value is not None]  # fmt: skip
    return " ".join(["studyspec catalog simulate", *told])
