"""Progress on stderr: a line for each job, and on a terminal what goes on, four times a second.

The live part is a line for the whole (bar, percentage, jobs, time left) and one for each job that
runs; none is longer than the terminal is wide.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from studyspec.cli.clock import Clock, duration
from studyspec.neutral import for_terminal

if TYPE_CHECKING:
    from studyspec.api import Event, PlannedStudy, StudyLook, Summary

__all__ = ["Clock", "Progress", "duration", "waiting"]

MEGABYTE = 1e6
SHOWN = 4
"""Running jobs that are shown, at most."""
BAR = (8, 30)
"""The bar is so wide, at least and at most."""
REDRAWN_HZ = 4
MARKS, PLAIN = ("━", "─", "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"), ("#", ".", "|/-\\")


class Progress:
    """A listener of `api.run` that prints; use it as a context manager."""

    def __init__(self, console: Console | None = None, doing: str = "reading the studies") -> None:
        self._console = console or Console(file=sys.__stderr__, highlight=False, soft_wrap=True)
        self._live: Live | None = None
        self._clock = Clock()
        self._doing = doing
        self._running: dict[str, str] = {}
        self._fetched: set[str] = set()
        self._began = time.monotonic()

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._live = Live(
                self, console=self._console, refresh_per_second=REDRAWN_HZ, transient=True
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            with suppress(OSError):  # its terminal was closed
                self._live.stop()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The live part."""
        width = max(options.max_width - 1, 1)
        for line in self.lines(width, options.encoding.startswith("utf")):
            yield Text(line[:width], no_wrap=True, overflow="crop")

    def lines(self, width: int, pretty: bool = True) -> list[str]:
        """The live part as lines, none longer than `width`."""
        full, empty, turning = MARKS if pretty else PLAIN
        elapsed = time.monotonic() - self._began
        sign = turning[int(elapsed * REDRAWN_HZ) % len(turning)]
        done, jobs = self._clock.jobs
        if not jobs:
            return [_cut(f"{sign} {self._doing}  {duration(elapsed)}", width, pretty)]
        share, left = self._clock.share, self._clock.left()
        ends = "" if left is None or left < 1 else f"  about {duration(left)} left"
        told = f" {int(100 * share):3d} %  {done} of {jobs} jobs{ends}"
        bar = min(max(width - len(told) - 2, BAR[0]), BAR[1])
        n = int(bar * share)
        lines = [_cut(f"{sign} {full * n}{empty * (bar - n)}{told}", width, pretty)]
        titles = list(self._running.values()) or [self._doing]
        lines += [_cut(f"  {title}", width, pretty) for title in titles[:SHOWN]]
        if len(titles) > SHOWN:
            lines.append(f"  and {len(titles) - SHOWN} more"[:width])
        return lines

    def fetching(self, name: str, done: int, total: int | None) -> None:
        """A download: live on a terminal, a line at its end."""
        share = "" if not total else f" of {total / MEGABYTE:.1f}"
        self._doing = f"fetching {name}: {done / MEGABYTE:.1f}{share} MB"
        if total is not None and done >= total and name not in self._fetched:
            self._fetched.add(name)
            self._print(f"fetched {name} ({done / MEGABYTE:.1f} MB)")

    def measuring(self, done: int, total: int) -> None:
        """Images were measured: live on a terminal."""
        self._doing = f"measuring images: {done} of {total}"

    def planned(self, planned: PlannedStudy) -> None:
        """What a study still needs."""
        from studyspec import api

        stages = {p.job.key: p.job.stage for p in planned.jobs if p.to_do}
        self._clock.expect(stages, api.past_seconds(planned))
        known = sum(p.state == "known" for p in planned.jobs)
        jobs = ", ".join(f"{n} to {stage}" for stage, n in planned.to_do.items())
        self._print(f"{planned.checked.name}: {jobs or 'nothing to do'}; {known} known")
        self._doing = "starting workers" if stages else "reading results"

    def happened(self, event: Event) -> None:
        """A job went on or ended."""
        job = event.job
        if event.kind == "started":
            self._running[job.key] = job.title
            self._clock.start(job.key)
        elif event.kind == "hung":
            idle = duration(event.seconds or 0)
            self._print(f"{job.title}: its process on {event.device} does nothing since {idle}")
        elif event.kind == "progress":
            self._running[job.key] = f"{job.title} {_far(event.progress)}"
            if share := _share(event.progress):
                self._clock.reached(job.key, share)
        else:
            self._running.pop(job.key, None)
            seconds = self._clock.stop(job.key, event.kind)
            line = f"[{event.settled}/{event.total}] {_line(event, seconds)}"
            self._print(line if self._live else f"{line}{self._left()}", cut=event.kind == "done")
            for note in () if event.result is None else event.result.remarks:
                self._print(f"note: {note}")
            self._doing = "waiting for a worker" if event.settled < event.total else "ending"

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
        left = self._clock.left()
        return "" if not left else f"  ({duration(left)} left)"

    def _print(self, text: str, cut: bool = False) -> None:
        """A line that stays; on a terminal one that is `cut` where the terminal ends."""
        text = for_terminal(text)
        if cut and self._live is not None:
            text = _cut(text, self._console.width - 1, self._console.encoding.startswith("utf"))
        self._console.print(text, markup=False)


@contextmanager
def waiting(doing: str) -> Iterator[None]:
    """Tell on a terminal, four times a second, that something is done, and since when."""
    with Progress(doing=doing):
        yield


def _cut(text: str, width: int, pretty: bool) -> str:
    """Text that is no longer than that."""
    if len(text) <= width:
        return text
    more = "…" if pretty else "..."
    return text[: max(width - len(more), 0)] + more


def _far(progress: Mapping[str, object]) -> str:
    """How far a training is."""
    loss = progress.get("validation_loss")
    if "epoch" not in progress:
        return ""
    told = f", validation loss {loss:.3f}" if isinstance(loss, float) else ""
    if "steps" in progress:
        return f"step {progress.get('step')}/{progress['steps']}{told}"
    return f"epoch {progress['epoch']}/{progress['epochs']}{told}"


def _share(progress: Mapping[str, object]) -> float | None:
    """How far a training is, from 0 to 1."""
    epoch, epochs = progress.get("epoch"), progress.get("epochs")
    if isinstance(epoch, int) and isinstance(epochs, int) and epochs:
        return epoch / epochs
    return None


def _line(event: Event, seconds: float | None) -> str:
    title = event.job.title
    if event.kind == "done":
        came = event.headline
        took = "" if seconds is None else f"  {duration(seconds)}"
        return f"{title}{f': {came}' if came else ''}{took}"
    if event.kind == "blocked":
        return f"{title}: not tried: {event.message}"
    how = "failed, will be tried again" if event.kind == "again" else "failed"
    log = "" if event.log is None else f" (log: {event.log})"
    return f"{title}: {how}: {event.message}{log}"
