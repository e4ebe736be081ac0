"""The allotment: the time that a worker is given, and what of its jobs still fits into it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from studyspec.store.records import RecordIndex


@dataclass(frozen=True)
class Allotment:
    """The time of a worker.

    Attributes
    ----------
    began
        When it did, by `time.monotonic` [s].
    seconds
        How long it may last.
    lead_s
        So long before the end trainings stop at the end of an epoch.
    margin_s
        So long before the end whatever still goes on is stopped.
    """

    began: float
    seconds: float
    lead_s: float
    margin_s: float

    @property
    def ends(self) -> float:
        """When it is over."""
        return self.began + self.seconds

    def pausing(self, now: float) -> bool:
        """Whether trainings are to stop at their next epoch."""
        return now > self.ends - self.lead_s

    def stopping(self, now: float) -> bool:
        """Whether everything is to stop now."""
        return now > self.ends - self.margin_s

    def early(self, now: float) -> bool:
        """Whether most of the time is still to come."""
        return now - self.began < self.seconds / 2

    def fits(self, stage: str, index: RecordIndex) -> bool:
        """Whether one more job may begin now.

        A training may if it can come to an epoch, as it goes on from there; others, if the longest
        of their stage so far would end in time.
        """
        now = time.monotonic()
        if stage == "train":
            return now + self.lead_s < self.ends - self.lead_s
        return now + index.longest_s(stage) < self.ends - self.margin_s
