"""A learning rate that rises and then falls, along half a cosine each (Smith and Topin 2019)."""

from __future__ import annotations

import math

from pydantic import Field

from studyspec.plugins.contracts import Schedule
from studyspec.plugins.settings import Settings


class OneCycleSettings(Settings):
    """The learning rate rises to its peak, then falls to almost nothing."""

    warm_up: float = Field(0.3, ge=0, lt=1, description="Share of the steps in which it rises.")
    first: float = Field(
        0.04, gt=0, le=1, description="What it begins with, as a share of training.learning_rate."
    )
    last: float = Field(
        4e-6, ge=0, le=1, description="What it ends with, as a share of training.learning_rate."
    )


class OneCycle(Schedule[OneCycleSettings]):
    """`training.schedule.name = "one_cycle"`.

    References
    ----------
    L. N. Smith, N. Topin, "Super-convergence: very fast training of neural networks using large
    learning rates", Proc. SPIE 11006 (2019); with cosines, as torch's OneCycleLR has it.
    """

    name = "one_cycle"
    settings = OneCycleSettings
    least_steps = 3

    def describe(self, settings: OneCycleSettings) -> str:
        """Where it begins and ends, and when its peak is."""
        return (
            f"rising from {settings.first:g} of the learning rate in the first "
            f"{settings.warm_up:.0%} of the steps, then falling to {settings.last:g} of it"
        )

    def factor(self, step: int, steps: int, settings: OneCycleSettings) -> float:
        """Up from `first` to 1 at the peak, then down to `last` at the last step."""
        peak = max(0.0, settings.warm_up * steps - 1)
        if step < peak:
            return _between(settings.first, 1.0, step / peak)
        return _between(1.0, settings.last, (step - peak) / max(1.0, steps - 1 - peak))


def _between(start: float, end: float, share: float) -> float:
    """A value on its way from start to end along half a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


ONE_CYCLE = OneCycle()
