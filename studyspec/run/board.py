"""The board: which jobs wait, are ready, done, failed or blocked. Pure; is told what records say.

Workers and runners judge by the same board, so they agree without talking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from studyspec.store.records import KeyStatus

State = Literal["waiting", "ready", "blocked", "done", "failed"]


@dataclass(frozen=True)
class Ticket:
    """What is to be known of a job to decide when it is its turn.

    `number` is its place in the plan; `network` the training whose network it tests, `start` the
    one whose weights it starts from; `forgiven` the number of its failures that do not count any
    more.
    """

    key: str
    stage: str
    needs: tuple[str, ...]
    number: int
    network: str | None = None
    start: str | None = None
    forgiven: int = 0
    time_limit_s: float | None = None


@dataclass
class Board:
    """The state of every job on it, kept up to date by `update`.

    Parameters
    ----------
    present
        Whether what a done job of this stage and key made is still there.
    """

    present: Callable[[str, str], bool]
    tickets: dict[str, Ticket] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    _open: dict[str, Ticket] = field(default_factory=dict)
    _met: dict[str, int] = field(default_factory=dict)

    def add(self, ticket: Ticket) -> None:
        """Put a job on the board; needed ones are best added before those that need them."""
        self.tickets[ticket.key] = ticket
        self.states[ticket.key] = "waiting"
        self._open[ticket.key] = ticket
        self._met[ticket.key] = 0

    def drop(self, key: str) -> None:
        """Take a job off the board."""
        for table in (self.tickets, self.states, self._open, self._met):
            table.pop(key, None)

    def update(self, statuses: Mapping[str, KeyStatus]) -> list[Ticket]:
        """Judge every open job anew; return those that are done or failed now."""
        settled = []
        for key, ticket in list(self._open.items()):
            state = self.states[key] = self._judge(ticket, statuses)
            if state in ("done", "failed"):
                settled.append(self._open.pop(key))
        return settled

    def ready(self, network: str | None = None) -> Iterator[Ticket]:
        """Jobs whose turn it is: those that use `network` first, then by place in the plan."""
        ready = [t for t in self._open.values() if self.states[t.key] == "ready"]
        return iter(
            sorted(ready, key=lambda t: (network is None or t.network != network, t.number))
        )

    def unfinished(self) -> int:
        """How many jobs are ready or may become so."""
        return sum(self.states[key] != "blocked" for key in self._open)

    def _judge(self, ticket: Ticket, statuses: Mapping[str, KeyStatus]) -> State:
        status = statuses.get(ticket.key)
        if status is not None:
            if status.done and self.present(ticket.stage, ticket.key):
                return "done"
            if status.failed(ticket.forgiven):
                return "failed"
        # Needs are met one after the other, and a met need is not looked at again.
        while self._met[ticket.key] < len(ticket.needs):
            state = self._need(ticket, ticket.needs[self._met[ticket.key]], statuses)
            if state != "done":
                return "blocked" if state in ("failed", "blocked") else "waiting"
            self._met[ticket.key] += 1
        return "ready"

    def _need(self, ticket: Ticket, key: str, statuses: Mapping[str, KeyStatus]) -> State:
        """The state of a needed job; one that is not on the board must have been done before.

        Missing patches are made again where they are needed, missing weights are not.
        """
        if key in self.states:
            return self.states[key]
        status = statuses.get(key)
        if status is None or not status.done:
            return "blocked"
        there = key not in (ticket.network, ticket.start) or self.present("train", key)
        return "done" if there else "blocked"
