"""The queue: published jobs as files, and which of them a worker may take next.

A job file has two lines: the ticket, which is all that a worker reads of the jobs that it does not
do, and the job. Where the images are, which many jobs share, lies beside in one file for each
prepared image, read only where an artifact must be made again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from pydantic import JsonValue, TypeAdapter, ValidationError

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
        return PreparedImage.model_validate_json(
            self._results.machine.read(self._results.source(key))
        )

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
    machine = results.machine
    for folder in (results.jobs, results.sources):
        machine.make_folder(folder)
    written: set[str] = set()
    for job, ticket in jobs:
        sources = job.inputs.its_sources
        for key in sources.keys() - written:
            source = _json(sources[key].written())
            write(results.source(key), source, durable=False, machine=machine)
            written.add(key)
        told = _json({**job.written(), "sources": [*sorted(sources)]})
        text = f"{_json(TICKET.dump_python(ticket))}\n{told}\n"
        write(results.job(job.key), text, durable=False, machine=machine)


def withdraw(results: Results, keys: Iterable[str]) -> None:
    """Take back published jobs that nobody needs to look at any more."""
    for key in sorted(keys):
        results.machine.remove(results.job(key))


def published(results: Results) -> set[str]:
    """The keys of all published jobs."""
    names = results.machine.names(results.jobs)
    return {name.removesuffix(".json") for name in names if not name.startswith(".")}


def read_job(results: Results, key: str) -> Job:
    """A published job.

    Raises
    ------
    FileNotFoundError
        If it was withdrawn, or its file was cut short by a loss of power: it is published anew.
    RunError
        If it is of another version of studyspec.
    """
    try:
        _, line = results.machine.read(results.job(key)).decode().splitlines()
        values = json.loads(line)
    except ValueError:
        raise FileNotFoundError(results.job(key)) from None
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
        with suppress(FileNotFoundError, ValidationError):
            text = self.results.machine.read(self.results.job(key))
            return TICKET.validate_json(text.partition(b"\n")[0])
        return None


def _json(values: Mapping[str, JsonValue]) -> str:
    return json.dumps(values, separators=(",", ":"))
