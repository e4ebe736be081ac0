"""A learning rate that falls by the same share at every step."""

from __future__ import annotations

from pydantic import Field

from studyspec.plugins.contracts import Schedule
from studyspec.plugins.settings import Settings


class ExponentialSettings(Settings):
    """The learning rate falls by the same share at every step."""

    last: float = Field(
        0.01,
        gt=0,
        lt=1,
        description="What it is at the last step, as a share of training.learning_rate.",
    )


class Exponential(Schedule[ExponentialSettings]):
    """`training.schedule.name = "exponential"`."""

    name = "exponential"
    settings = ExponentialSettings
    least_steps = 2

    def describe(self, settings: ExponentialSettings) -> str:
        """Where to."""
        return f"falling exponentially to {settings.last:g} of the learning rate"

    def factor(self, step: int, steps: int, settings: ExponentialSettings) -> float:
        """From 1 at the first step to `last` at the last."""
        return float(settings.last ** (step / max(1, steps - 1)))


EXPONENTIAL = Exponential()
