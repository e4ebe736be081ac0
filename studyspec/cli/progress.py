"""Progress of a run on stderr: a line for each job, and on a terminal a live line of what runs."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.status import Status
from rich.text import Text

from studyspec.neutral import for_terminal

if TYPE_CHECKING:
    from studyspec.api import Event, PlannedStudy, StudyLook, Summary

MEGABYTE = 1e6


class Progress:
    """A listener of `api.run` that prints; use it as a context manager."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(file=sys.__stderr__, highlight=False, soft_wrap=True)
        self._status: Status | None = None
        self._clock = Clock()
        self._running: dict[str, str] = {}
        self._fetched: set[str] = set()

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._status = self._console.status("")
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def fetching(self, name: str, done: int, total: int | None) -> None:
        """A download: live on a terminal, a line at its end."""
        share = "" if not total else f" of {total / MEGABYTE:.1f}"
        self._show(f"fetching {name}: {done / MEGABYTE:.1f}{share} MB")
        if total is not None and done >= total and name not in self._fetched:
            self._fetched.add(name)
            self._print(f"fetched {name} ({done / MEGABYTE:.1f} MB)")

    def measuring(self, done: int, total: int) -> None:
        """Images were measured: live on a terminal."""
        self._show(f"measuring images: {done} of {total}")

    def planned(self, planned: PlannedStudy) -> None:
        """What a study still needs."""
        self._clock.expect(planned.to_do)
        known = sum(p.state == "known" for p in planned.jobs)
        jobs = ", ".join(f"{n} to {stage}" for stage, n in planned.to_do.items())
        self._print(f"{planned.checked.name}: {jobs or 'nothing to do'}; {known} known")

    def happened(self, event: Event) -> None:
        """A job went on or ended."""
        job = event.job
        if event.kind == "started":
            self._running[job.key] = job.title
            self._clock.start(job.key)
        elif event.kind == "progress":
            self._running[job.key] = f"{job.title} {_epoch(event.progress)}"
        else:
            self._running.pop(job.key, None)
            seconds = self._clock.stop(job.key, job.stage, event.kind)
            self._print(f"[{event.settled}/{event.total}] {_line(event, seconds)}{self._left()}")
            for note in () if event.result is None else event.result.remarks:
                self._print(f"note: {note}")
        self._show("; ".join(self._running.values()))

    def looked(self, look: StudyLook) -> None:
        """A study was judged."""
        self._print(f"{look.study}: look {look.number} of {look.planned}: {look.text}")

    def summary(self, summary: Summary) -> None:
        """How the run ended."""
        parts = [f"{summary.done} done"]
        parts += [f"{summary.failed} failed"] if summary.failed else []
        parts += [f"{summary.blocked} not tried for want of them"] if summary.blocked else []
        if summary.done or summary.failed or summary.blocked:
            self._print(f"{', '.join(parts)} in {duration(summary.seconds)}")

    def _left(self) -> str:
        left = self._clock.left(max(1, len(self._running) + 1))
        return "" if left is None else f"  ({duration(left)} left)"

    def _show(self, text: str) -> None:
        if self._status is not None:
            self._status.update(Text(for_terminal(text)))

    def _print(self, text: str) -> None:
        self._console.print(for_terminal(text), markup=False)


class Clock:
    """How long jobs of each stage take, and how long the rest will."""

    def __init__(self) -> None:
        self._to_do: Counter[str] = Counter()
        self._took: dict[str, list[float]] = {}
        self._began: dict[str, float] = {}

    def expect(self, jobs: Mapping[str, int]) -> None:
        """Count jobs of each stage as still to do."""
        self._to_do.update(jobs)

    def start(self, key: str) -> None:
        """A job began."""
        self._began[key] = time.monotonic()

    def stop(self, key: str, stage: str, kind: str) -> float | None:
        """A job ended; how long it took [s], if it was seen to begin."""
        began = self._began.pop(key, None)
        if kind != "again":
            self._to_do[stage] -= 1
        if began is None:
            return None
        seconds = time.monotonic() - began
        if kind == "done":
            self._took.setdefault(stage, []).append(seconds)
        return seconds

    def left(self, workers: int) -> float | None:
        """Time that the rest will take [s]; None until a job of each stage to come was seen."""
        total = 0.0
        for stage, n in self._to_do.items():
            if n > 0:
                took = self._took.get(stage)
                if took is None:
                    return None
                total += n * sum(took) / len(took)
        return total / workers if total else None


def duration(seconds: float) -> str:
    """Seconds as a person reads them: 8 s, 3:05 min, 2:10 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"


def _epoch(progress: Mapping[str, object]) -> str:
    """How far a training is."""
    loss = progress.get("validation_loss")
    if "epoch" not in progress:
        return ""
    told = f", validation loss {loss:.3f}" if isinstance(loss, float) else ""
    return f"epoch {progress['epoch']}/{progress['epochs']}{told}"


def _line(event: Event, seconds: float | None) -> str:
    title = event.job.title
    if event.kind == "done":
        came = "" if event.result is None else event.result.headline
        took = "" if seconds is None else f"  {duration(seconds)}"
        return f"{title}{f': {came}' if came else ''}{took}"
    if event.kind == "blocked":
        return f"{title}: not tried: {event.message}"
    how = "failed, will be tried again" if event.kind == "again" else "failed"
    log = "" if event.log is None else f" (log: {event.log})"
    return f"{title}: {how}: {event.message}{log}"
