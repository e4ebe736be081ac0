"""A learning rate that falls along half a cosine (Loshchilov and Hutter 2017, without restarts)."""

from __future__ import annotations

import math

from pydantic import Field

from studyspec.plugins.contracts import Schedule
from studyspec.plugins.settings import Settings


class CosineSettings(Settings):
    """The learning rate falls along half a cosine."""

    last: float = Field(
        0.0, ge=0, lt=1, description="What it falls to, as a share of training.learning_rate."
    )


class Cosine(Schedule[CosineSettings]):
    """`training.schedule.name = "cosine"`.

    References
    ----------
    I. Loshchilov, F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017,
    equation 5.
    """

    name = "cosine"
    settings = CosineSettings
    least_steps = 2

    def describe(self, settings: CosineSettings) -> str:
        """Where to."""
        return f"falling along half a cosine to {settings.last:g} of the learning rate"

    def factor(self, step: int, steps: int, settings: CosineSettings) -> float:
        """From 1 at the first step; the step after the last would have `last`."""
        part = (1 + math.cos(math.pi * step / steps)) / 2
        return settings.last + (1 - settings.last) * part


COSINE = Cosine()
