"""The board: which jobs are ready, done, failed or blocked."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from studyspec.run.board import Board, Ticket
from studyspec.store.head import Status
from studyspec.store.records import KeyStatus

DONE = KeyStatus(done=True)


def everything_present(stage: str, key: str) -> bool:
    return True


def board(*tickets: Ticket) -> Board:
    made = Board(everything_present)
    for ticket in tickets:
        made.add(ticket)
    return made


def states(made: Board, statuses: Mapping[str, KeyStatus]) -> dict[str, str]:
    made.update(statuses)
    return dict(made.states)


P = Ticket("p", "prepare", (), 0)
T = Ticket("t", "train", ("p",), 1)
E = Ticket("e", "evaluate", ("t", "p"), 2, network="t")


def test_a_job_is_ready_once_all_it_needs_is_done() -> None:
    made = board(P, T, E)
    assert states(made, {}) == {"p": "ready", "t": "waiting", "e": "waiting"}
    assert states(made, {"p": DONE}) == {"p": "done", "t": "ready", "e": "waiting"}
    assert states(made, {"p": DONE, "t": DONE})["e"] == "ready"


def test_what_needs_a_failed_job_is_blocked() -> None:
    failed = KeyStatus(failures=3, last_status="error")
    assert states(board(P, T, E), {"p": failed}) == {"p": "failed", "t": "blocked", "e": "blocked"}


@pytest.mark.parametrize("status", ["out_of_memory", "time_limit"])
def test_one_failure_of_a_final_kind_is_enough(status: Status) -> None:
    once = KeyStatus(failures=1, last_status=status)
    assert states(board(P), {"p": once}) == {"p": "failed"}


def test_two_errors_are_not_enough() -> None:
    twice = KeyStatus(failures=2, last_status="error")
    assert states(board(P), {"p": twice}) == {"p": "ready"}


def test_forgiven_failures_do_not_count() -> None:
    ticket = Ticket("p", "prepare", (), 0, forgiven=1)
    once = KeyStatus(failures=1, last_status="out_of_memory")
    twice = KeyStatus(failures=2, last_status="out_of_memory")
    assert states(board(ticket), {"p": once}) == {"p": "ready"}
    assert states(board(ticket), {"p": twice}) == {"p": "failed"}


def test_a_done_job_without_its_artifact_is_done_again() -> None:
    made = Board(lambda stage, key: False)
    made.add(P)
    assert states(made, {"p": DONE}) == {"p": "ready"}


def test_weights_that_are_missing_block_their_tests() -> None:
    made = Board(lambda stage, key: stage != "train")
    made.add(E)
    assert states(made, {"t": DONE, "p": DONE}) == {"e": "blocked"}


def test_a_needed_job_that_nobody_knows_blocks() -> None:
    assert states(board(T), {}) == {"t": "blocked"}


def test_tests_of_the_last_network_come_first() -> None:
    made = board(T, E, Ticket("f", "evaluate", (), 3, network="u"))
    made.update({"p": DONE, "t": DONE})
    assert [ticket.key for ticket in made.ready("u")] == ["f", "e"]
    assert [ticket.key for ticket in made.ready()] == ["e", "f"]
