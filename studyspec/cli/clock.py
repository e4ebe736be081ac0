"""How long jobs take, how far the whole is, and how long the rest will take. Prints nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping

WEIGHTS: Mapping[str, float] = {"train": 8.0, "evaluate": 2.0}
"""How long a job of a stage takes, against one of another, until any was seen."""


class Clock:
    """The jobs of a run, each by its key, and when they begin and end."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._stages: dict[str, str] = {}
        self._ended: set[str] = set()
        self._began: dict[str, float] = {}
        self._shares: dict[str, float] = {}
        self._took: dict[str, list[float]] = {}
        self._past: dict[str, float] = {}
        self._at_once = 1

    def expect(self, stages: Mapping[str, str], past: Mapping[str, float] | None = None) -> None:
        """Jobs to do, their stages by key; `past` are seconds that those of a stage took before.

        A job that several studies need is counted once.
        """
        self._stages |= stages
        self._past |= past or {}

    def start(self, key: str) -> None:
        """A job began."""
        self._began[key] = self._now()
        self._at_once = max(self._at_once, len(self._began))

    def reached(self, key: str, share: float) -> None:
        """A job that goes on is so far, from 0 to 1."""
        self._shares[key] = min(max(share, 0.0), 1.0)

    def stop(self, key: str, kind: str) -> float | None:
        """A job ended; how long it took [s], if it was seen to begin."""
        began, _ = self._began.pop(key, None), self._shares.pop(key, None)
        if kind != "again":
            self._ended.add(key)
        if began is None:
            return None
        seconds = self._now() - began
        if kind == "done" and key in self._stages:
            self._took.setdefault(self._stages[key], []).append(seconds)
        return seconds

    @property
    def jobs(self) -> tuple[int, int]:
        """How many have ended, and how many there are."""
        return len(self._ended & self._stages.keys()), len(self._stages)

    @property
    def share(self) -> float:
        """How much of the whole work is done, from 0 to 1."""
        each = self._each()
        whole = sum(each(stage) for stage in self._stages.values())
        return 1 - self._rest(each) / whole if whole else 0.0

    def left(self) -> float | None:
        """Time that the rest will take [s]; None until a job was seen, now or in earlier runs."""
        if not self._stages or not (self._took or self._past):
            return None
        waiting = len(self._stages) - self.jobs[0]
        return self._rest(self._each()) / max(1, min(self._at_once, waiting))

    def _rest(self, each: Callable[[str], float]) -> float:
        """The work of what has not ended, less what is done of it."""
        rest = 0.0
        for key, stage in self._stages.items():
            if key not in self._ended:
                took = each(stage)
                rest += took * (1 - max(self._shares.get(key, 0.0), self._waited(key, took)))
        return rest

    def _waited(self, key: str, took: float) -> float:
        """How far a job is that tells nothing: by its time, never quite to the end."""
        if key not in self._began or not (self._took or self._past):
            return 0.0
        return min(0.95, (self._now() - self._began[key]) / took) if took else 0.0

    def _each(self) -> Callable[[str], float]:
        """How long a job of a stage takes [s]: as seen, else as before, else in proportion."""
        known = {stage: sum(took) / len(took) for stage, took in self._took.items()}
        known = {**self._past, **known}
        asked = Counter(self._stages.values())
        seen = [
            seconds / WEIGHTS.get(stage, 1.0) for stage, seconds in known.items() if asked[stage]
        ]
        unit = sum(seen) / len(seen) if seen else 1.0
        return lambda stage: known.get(stage, unit * WEIGHTS.get(stage, 1.0))


def duration(seconds: float) -> str:
    """Seconds as a person reads them: 8 s, 3:05 min, 2:10 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"
