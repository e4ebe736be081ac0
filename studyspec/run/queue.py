"""The queue: published jobs as files, and which of them a worker may take next.

A job file has two lines: the ticket, which is all that a worker reads of the jobs that it does not
do, and the job. Where the images are, which many jobs share, lies beside in one file for each
prepared image, read only where an artifact must be made again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from studyspec.plan.jobs import Job
from studyspec.run.board import Board, Ticket
from studyspec.store.layout import Results
from studyspec.store.records import RecordIndex


class Sources(Mapping[str, Any]):
    """The ingredients and inputs of prepare jobs by key, read when asked for."""

    def __init__(self, results: Results, keys: Iterable[str]) -> None:
        self._results, self._keys = results, tuple(keys)

    def __getitem__(self, key: str) -> Any:
        return json.loads(self._results.source(key).read_text())

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def ticket_of(
    job: Job, number: int, forgiven: int = 0, time_limit_s: float | None = None
) -> Ticket:
    """What the board has to know of a job."""
    network = job.ingredients.get("network")
    trained = network if isinstance(network, str) else None
    return Ticket(job.key, job.stage, job.needs, number, trained, forgiven, time_limit_s)


def publish(results: Results, jobs: Iterable[tuple[Job, Ticket]]) -> None:
    """Write job files, needed jobs first; what is there already is replaced."""
    for folder in (results.jobs, results.sources):
        folder.mkdir(parents=True, exist_ok=True)
    written: set[str] = set()
    for job, ticket in jobs:
        sources = job.inputs.get("prepare", {})
        for key in sources.keys() - written:
            _write(results.source(key), _json(sources[key]))
            written.add(key)
        short = replace(job, inputs={**job.inputs, "prepare": sorted(sources)})
        _write(results.job(job.key), f"{_json(asdict(ticket))}\n{_json(short.to_json())}\n")


def withdraw(results: Results, keys: Iterable[str]) -> None:
    """Take back published jobs that nobody needs to look at any more."""
    for key in keys:
        results.job(key).unlink(missing_ok=True)


def published(results: Results) -> set[str]:
    """The keys of all published jobs."""
    try:
        with os.scandir(results.jobs) as entries:
            return {e.name.removesuffix(".json") for e in entries if not e.name.startswith(".")}
    except FileNotFoundError:
        return set()


def read_job(results: Results, key: str) -> Job:
    """A published job."""
    _, line = results.job(key).read_text().splitlines()
    job = Job.from_json(json.loads(line))
    return replace(
        job, inputs={**job.inputs, "prepare": Sources(results, job.inputs.get("prepare", ()))}
    )


@dataclass
class Queue:
    """The published jobs of a results folder; only new files are opened."""

    results: Results
    index: RecordIndex
    board: Board = field(init=False)

    def __post_init__(self) -> None:
        self.board = Board(self.index.holds)

    def refresh(self) -> None:
        """Read what was published, withdrawn or recorded since the last time."""
        names = published(self.results)
        for key in self.board.tickets.keys() - names:
            self.board.drop(key)
        new = [self._ticket(key) for key in names - self.board.tickets.keys()]
        for ticket in sorted((t for t in new if t is not None), key=lambda t: t.number):
            self.board.add(ticket)
        self.board.update(self.index.statuses())

    def _ticket(self, key: str) -> Ticket | None:
        with suppress(FileNotFoundError), self.results.job(key).open() as file:
            return Ticket.from_json(json.loads(file.readline()))
        return None


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, separators=(",", ":"))


def _write(path: Path, text: str) -> None:
    """Replace a file at once; it need not outlive a loss of power."""
    half = path.with_name(f".{path.name}.{os.getpid()}")
    half.write_text(text)
    half.rename(path)
