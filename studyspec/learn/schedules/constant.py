"""A learning rate that stays as it is."""

from __future__ import annotations

from studyspec.plugins.contracts import Schedule
from studyspec.plugins.settings import Settings


class ConstantSettings(Settings):
    """The learning rate stays as it is."""


class Constant(Schedule[ConstantSettings]):
    """`training.schedule.name = "constant"`."""

    name = "constant"
    settings = ConstantSettings

    def describe(self, settings: ConstantSettings) -> str:
        """Its name."""
        return "constant"

    def factor(self, step: int, steps: int, settings: ConstantSettings) -> float:
        """Always 1."""
        return 1.0


CONSTANT = Constant()
