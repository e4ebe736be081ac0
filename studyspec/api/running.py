"""Running: fetching what is missing, and doing what is not known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from studyspec.api.checking import CheckedStudy, check
from studyspec.api.engines import equipped
from studyspec.api.names import named_apart, refuse_other
from studyspec.api.planning import PlannedStudy, plan_checked
from studyspec.api.workplace import (
    HERE,
    RESULTS,
    AnyPath,
    Paths,
    Workplace,
    results_in,
    study_files,
)
from studyspec.run import runner
from studyspec.run.events import Event, Summary
from studyspec.run.runner import Options
from studyspec.spec.loading import load
from studyspec.store.ingest import ingest_if_free
from studyspec.store.planned import previous_plan, write_plan
from studyspec.store.records import RecordIndex

OnFetch = Callable[[str, int, int | None], None]
"""Told of a download: the name of the file, bytes so far and in all (None: not known)."""


Planner = Callable[[CheckedStudy, RecordIndex], PlannedStudy]
"""How a study that has been checked is planned."""


class Listener(Protocol):
    """What a caller of `run` may want to hear."""

    def fetching(self, name: str, done: int, total: int | None) -> None:
        """A download goes on: bytes so far and in all, if known."""

    def planned(self, planned: PlannedStudy) -> None:
        """A study was planned."""

    def happened(self, event: Event) -> None:
        """A job started, went on, ended or failed."""


def run(
    studies: Paths,
    profile: str | None = None,
    workplace: Workplace = HERE,
    options: Options | None = None,
    listener: Listener | None = None,
) -> Summary:
    """Fetch what is missing, plan, and do what is not yet known; studies share what they can.

    Parameters
    ----------
    studies
        Study files, or folders of them.
    profile
        Profile of each file to merge over it.
    workplace
        Where results and fetched files are.
    options
        Engine, workers, devices, time limit, what to do with earlier failures.
    listener
        Is told what happens.

    Raises
    ------
    SpecError, CatalogError, FetchError, RunError, PluginError
        Before anything runs.
    KeyboardInterrupt
        After the workers have stopped cleanly.
    """
    files = [(study, profile) for study in study_files(studies)]
    options = equipped(options or Options(), files)
    return finish(files, workplace, options, listener).summary


@dataclass(frozen=True)
class Finished:
    """What came of running some studies: numbers of jobs, their last plans, and the records."""

    summary: Summary
    planned: tuple[PlannedStudy, ...]
    index: RecordIndex


def finish(
    studies: Sequence[tuple[AnyPath, str | None]],
    workplace: Workplace,
    options: Options,
    listener: Listener | None = None,
    index: RecordIndex | None = None,
    planner: Planner = plan_checked,
) -> Finished:
    """Plan studies, each a file and a profile, and do their jobs, until no search asks for more.

    Raises as `run`.
    """
    total: Summary | None = None
    named_apart([load(Path(study), profile) for study, profile in studies])
    while True:
        planned = []
        for study, profile in studies:
            checked = _fetched(study, profile, workplace, listener)
            if index is None:
                ingest_if_free(checked.results)  # what is refused there is done again
                index = RecordIndex(checked.results)
            name = checked.name
            refuse_other(checked.loaded, previous_plan(checked.results, name, profile, index))
            planned.append(planner(checked, index))
            if listener is not None:
                listener.planned(planned[-1])
        assert index is not None
        summary = _done(planned, index, options, listener)
        total = summary if total is None else total + summary
        asks_more = any(one.searching for one in planned) and summary.done > 0
        if not asks_more:
            return Finished(total, tuple(planned), index)


def fetch(checked: CheckedStudy, progress: OnFetch | None = None) -> int:
    """Fetch every file of a study that is not here yet; how many that were.

    Raises
    ------
    FetchError
        Naming each file that could not be fetched or differs from its pin.
    """
    from studyspec.catalog.fetch import Fetcher

    Fetcher(checked.at).fetch(checked.unfetched, progress).raise_failures()
    return len(checked.unfetched)


def work(results: AnyPath = RESULTS, device: str = "cpu") -> int:
    """Do the published jobs of a results folder until none is left, as engines let workers do.

    The exit status of a worker: 0, or another if it cannot work at all.
    """
    from studyspec.run.worker import work as work_on

    return work_on(results_in(results), device)


def _done(
    planned: Sequence[PlannedStudy],
    index: RecordIndex,
    options: Options,
    listener: Listener | None,
) -> Summary:
    """Write the plans down, and do their jobs."""
    for one in planned:
        write_plan(index.results, one.record.written(), index)
    jobs = {p.job.key: p for one in planned for p in one.jobs}
    redo = frozenset(key for key, p in jobs.items() if p.state == "rebuild")
    return runner.run(
        [p.job for p in jobs.values()],
        index.results,
        replace(options, redo=redo),
        None if listener is None else listener.happened,
        index,
    )


def _fetched(
    study: AnyPath, profile: str | None, workplace: Workplace, listener: Listener | None
) -> CheckedStudy:
    """A study whose files are all here."""
    checked = check(study, profile, workplace)
    if checked.unfetched:
        fetch(checked, None if listener is None else listener.fetching)
        checked = check(study, profile, workplace)
    return checked
