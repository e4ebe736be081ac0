"""Steps that break their promise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from studyspec.plugins.contracts import Step
from studyspec.plugins.settings import Empty
from studyspec.plugins.values import WorkingImage


class _Bad(Step[Empty]):
    settings = Empty
    position = 450

    def describe(self, settings: Empty) -> str:
        """Nothing good."""
        return "something bad"


class Raises(_Bad):
    """Raises in a worker."""

    name = "raises"

    def apply(self, image: WorkingImage, settings: Empty) -> WorkingImage:
        """Divide by nothing."""
        raise ZeroDivisionError("nothing to divide by")


class Cuts(_Bad):
    """Gives an image of another shape than its label."""

    name = "cuts"

    def apply(self, image: WorkingImage, settings: Empty) -> WorkingImage:
        """Leave out a row."""
        return replace(image, pixels=image.pixels[1:])


class Empties(_Bad):
    """Gives NaN."""

    name = "empties"

    def apply(self, image: WorkingImage, settings: Empty) -> WorkingImage:
        """All NaN."""
        return replace(image, pixels=np.full_like(image.pixels, np.nan))


class Unmodelled(_Bad):
    """Has settings that are no model."""

    name = "unmodelled"
    settings = dict  # type: ignore[assignment]

    def apply(self, image: WorkingImage, settings: Empty) -> WorkingImage:
        """Nothing."""
        return image


class Standard(_Bad):
    """Would act on studies that do not name it."""

    name = "everywhere"
    standard = True

    def apply(self, image: WorkingImage, settings: Empty) -> WorkingImage:
        """Nothing."""
        return image


RAISES, CUTS, EMPTIES = Raises(), Cuts(), Empties()
UNMODELLED, STANDARD = Unmodelled(), Standard()
