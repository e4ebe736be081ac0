"""The queue: published jobs as files, and which of them a worker may take next.

A job file has two lines: the ticket, which is all that a worker reads of the jobs that it does not
do, and the job. Where the images are, which many jobs share, lies beside in one file for each
prepared image, read only where an artifact must be made again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from pydantic import JsonValue, TypeAdapter

from studyspec.files import write
from studyspec.jobs.evaluate import Evaluate
from studyspec.jobs.stages import Job
from studyspec.jobs.task import Key, PreparedImage
from studyspec.jobs.train import Train
from studyspec.run import leases
from studyspec.run.board import Board, Ticket
from studyspec.run.leases import Lease
from studyspec.run.process import Process
from studyspec.store.folder import Results
from studyspec.store.records import RecordIndex

TICKET = TypeAdapter(Ticket)


class SourceFiles(Mapping[Key, PreparedImage]):
    """How patches come to be, by the key of their prepare task, read when asked for."""

    def __init__(self, results: Results, keys: Iterable[Key]) -> None:
        self._results, self._keys = results, tuple(keys)

    def __getitem__(self, key: Key) -> PreparedImage:
        return PreparedImage.model_validate_json(self._results.source(key).read_bytes())

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def ticket_of(
    job: Job, number: int, forgiven: int = 0, time_limit_s: float | None = None
) -> Ticket:
    """What the board has to know of a job."""
    network = job.task.network if isinstance(job.task, Evaluate) else None
    start = job.task.start if isinstance(job.task, Train) else None
    return Ticket(
        key=job.key,
        stage=job.stage,
        needs=job.needs,
        number=number,
        network=network if network in job.needs else None,
        start=start if start in job.needs else None,
        forgiven=forgiven,
        time_limit_s=time_limit_s,
    )


def publish(results: Results, jobs: Iterable[tuple[Job, Ticket]]) -> None:
    """Write job files, needed jobs first; what is there already is replaced."""
    for folder in (results.jobs, results.sources):
        folder.mkdir(parents=True, exist_ok=True)
    written: set[str] = set()
    for job, ticket in jobs:
        sources = job.inputs.its_sources
        for key in sources.keys() - written:
            write(results.source(key), _json(sources[key].written()), durable=False)
            written.add(key)
        told = _json({**job.written(), "sources": [*sorted(sources)]})
        write(results.job(job.key), f"{_json(TICKET.dump_python(ticket))}\n{told}\n", durable=False)


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
    """A published job.

    Raises
    ------
    FileNotFoundError
        If it was withdrawn.
    RunError
        If it is of another version of studyspec.
    """
    _, line = results.job(key).read_text().splitlines()
    values = json.loads(line)
    job = Job.read(values)
    sources = SourceFiles(results, values["sources"])
    return replace(job, inputs=job.inputs.with_sources(sources))


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

    def take(
        self,
        owner: Process,
        device: str,
        network: str | None,
        fits: Callable[[Ticket], bool] = lambda _: True,
    ) -> tuple[Lease, Ticket] | None:
        """Lease the next ready job that fits, best one that uses `network`; None if there is none.

        What another worker did since it was found ready is let go.
        """
        taken = leases.held(self.results)
        for ticket in self.board.ready(network):
            if ticket.key in taken or not fits(ticket):
                continue
            lease = leases.take(self.results, ticket.key, owner, device)
            if lease is None:
                continue
            self.refresh()
            if self.board.states.get(ticket.key) == "ready":
                return lease, ticket
            leases.release(self.results, lease)
            return None
        return None

    def _ticket(self, key: str) -> Ticket | None:
        with suppress(FileNotFoundError), self.results.job(key).open() as file:
            return TICKET.validate_json(file.readline())
        return None


def _json(values: Mapping[str, JsonValue]) -> str:
    return json.dumps(values, separators=(",", ":"))
