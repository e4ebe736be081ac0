"""Augmentations that break their promise."""

from __future__ import annotations

from dataclasses import replace

from studyspec.plugins.contracts import Augmentation, Draws
from studyspec.plugins.settings import Empty
from studyspec.plugins.values import Samples


class _Bad(Augmentation[Empty]):
    settings = Empty
    position = 250

    def describe(self, settings: Empty) -> str:
        """Nothing good."""
        return "something bad"


class Taken(_Bad):
    """Bears a name that is taken."""

    name = "noise"

    def apply(self, samples: Samples, settings: Empty, draws: Draws) -> Samples:
        """Nothing."""
        return samples


class Halves(_Bad):
    """Gives fewer samples."""

    name = "halves"

    def apply(self, samples: Samples, settings: Empty, draws: Draws) -> Samples:
        """Half of them."""
        return replace(samples, images=samples.images[::2])


TAKEN, HALVES = Taken(), Halves()
