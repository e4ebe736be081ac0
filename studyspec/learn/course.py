"""The course of a training: which steps lie between two validations, and what they see. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from studyspec.spec.sections import TrainingNumbers


@dataclass(frozen=True)
class Course:
    """The steps of a training on `samples` samples, of which each pass takes every one once.

    A batch is a step; the last batch of a pass may be smaller. An epoch is what lies between two
    validations: one pass, or in a training by steps as many as its settings say.
    """

    numbers: TrainingNumbers
    samples: int

    @property
    def steps_per_pass(self) -> int:
        """Batches of one pass."""
        return math.ceil(self.samples / self.numbers.batch_size)

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self.numbers.steps or self.numbers.epochs * self.steps_per_pass

    def steps_of(self, epoch: int) -> range:
        """The steps of an epoch; both count from 0."""
        each = self.numbers.every or self.steps_per_pass
        return range(epoch * each, min((epoch + 1) * each, self.steps))

    def seen(self, epoch: int) -> int:
        """Samples that the steps of an epoch see, once for each time."""
        steps = self.steps_of(epoch)
        return self._seen_before(steps.stop) - self._seen_before(steps.start)

    def _seen_before(self, step: int) -> int:
        passes, batches = divmod(step, self.steps_per_pass)
        return passes * self.samples + batches * self.numbers.batch_size
