"""A learning rate that falls in steps."""

from __future__ import annotations

from pydantic import Field

from studyspec.plugins.contracts import Schedule
from studyspec.plugins.settings import Settings


class StepsSettings(Settings):
    """The learning rate falls in equal steps of time."""

    times: int = Field(2, ge=1, description="How often it falls.")
    factor: float = Field(0.1, gt=0, lt=1, description="What it is multiplied with each time.")


class Steps(Schedule[StepsSettings]):
    """`training.schedule.name = "steps"`."""

    name = "steps"
    settings = StepsSettings

    def describe(self, settings: StepsSettings) -> str:
        """How often and how far."""
        return f"multiplied by {settings.factor:g} {settings.times} times"

    def factor(self, step: int, steps: int, settings: StepsSettings) -> float:
        """The factor at a step."""
        return settings.factor ** ((settings.times + 1) * step // steps)


STEPS = Steps()
