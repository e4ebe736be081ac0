"""Running: fetching what is missing, and doing what is not known; and how far that is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from studyspec.api.checking import CheckedStudy, check
from studyspec.api.planning import PlannedStudy, plan, plan_checked
from studyspec.api.workplace import HERE, Workplace
from studyspec.errors import NothingThere
from studyspec.plan.jobs import STAGES
from studyspec.plan.states import PlannedJob

if TYPE_CHECKING:
    from studyspec.run.events import Event, Summary
    from studyspec.run.runner import Options


class Listener(Protocol):
    """What a caller of `run` may want to hear."""

    def fetching(self, name: str, done: int, total: int | None) -> None:
        """A download goes on: bytes so far and in all, if known."""

    def planned(self, planned: PlannedStudy) -> None:
        """A study was planned."""

    def happened(self, event: Event) -> None:
        """A job started, went on, ended or failed."""


def run(
    studies: Sequence[Path],
    profile: str | None = None,
    workplace: Workplace = HERE,
    options: Options | None = None,
    listener: Listener | None = None,
) -> Summary:
    """Fetch what is missing, plan, and do what is not yet known; studies share what they can.

    Raises
    ------
    SpecError, CatalogError, FetchError, RunError
        Before anything runs.
    KeyboardInterrupt
        After the workers have stopped cleanly.
    """
    from studyspec.run import runner
    from studyspec.run.local import check_devices
    from studyspec.store.records import write_plan

    options = options or runner.Options()
    if options.engine == "local":
        check_devices(options.devices)
    if not studies:
        raise NothingThere("no study file was named", hint="name a TOML file or a folder of them")
    total: Summary | None = None
    while True:
        planned = [_ready(study, profile, workplace, listener) for study in studies]
        results = planned[0].checked.results
        for one in planned:
            write_plan(results, one.record)
        jobs = {p.job.key: p for one in planned for p in one.jobs}
        redo = frozenset(key for key, p in jobs.items() if p.state == "rebuild")
        summary = runner.run(
            [p.job for p in jobs.values()],
            results,
            replace(options, redo=redo),
            None if listener is None else listener.happened,
        )
        total = summary if total is None else total + summary
        asks_more = any(one.searching for one in planned) and summary.done > 0
        if not asks_more:
            return total


def fetch(
    checked: CheckedStudy, progress: Callable[[str, int, int | None], None] | None = None
) -> None:
    """Fetch every file of a study that is not here yet.

    Raises
    ------
    FetchError
        Naming each file that could not be fetched or differs from its pin.
    """
    from studyspec.catalog.fetch import Fetcher

    files = checked.files
    fetcher = Fetcher(Path(files.cache), Path(files.catalog), files.base_address)
    fetcher.fetch(checked.unfetched, progress).raise_failures()


def status(
    study: Path | None = None, profile: str | None = None, workplace: Workplace = HERE
) -> dict[str, Any]:
    """What of a study is done, running, to do and failed; of all studies, if none is named.

    JSON values; without a study nothing is known of what is to do.
    """
    from studyspec.store.queries import overview
    from studyspec.store.records import RecordIndex

    if study is None:
        results = workplace.results_of(Path.cwd())
        return overview(results)
    planned = plan(study, profile, workplace)
    results = planned.checked.results
    statuses = RecordIndex(results).statuses()
    claimed = {p.job.key for p in planned.jobs if results.claim(p.job.key).exists()}
    counts: Counter[tuple[str, str]] = Counter(
        (p.job.stage, _status_of(p, claimed)) for p in planned.jobs
    )
    return {
        "stages": [
            [stage, *(counts[stage, kind] for kind in ("done", "running", "to do", "failed"))]
            for stage in STAGES
            if stage != "measure" or any(kind == "measure" for kind, _ in counts)
        ],
        "running": [p.job.title for p in planned.jobs if p.job.key in claimed],
        "failed": [
            {
                "title": p.job.title,
                "reason": p.reason,
                "log": str(results.folder / (statuses[p.job.key].last_log or "")),
            }
            for p in planned.jobs
            if p.state == "failed"
        ],
    }


def _ready(
    study: Path, profile: str | None, workplace: Workplace, listener: Listener | None
) -> PlannedStudy:
    """A plan of a study whose files are all here."""
    checked = check(study, profile, workplace)
    if checked.unfetched:
        fetch(checked, None if listener is None else listener.fetching)
        checked = check(study, profile, workplace)
    planned = plan_checked(checked)
    if listener is not None:
        listener.planned(planned)
    return planned


def _status_of(planned: PlannedJob, claimed: set[str]) -> str:
    if planned.job.key in claimed:
        return "running"
    return {"known": "done", "failed": "failed"}.get(planned.state, "to do")
