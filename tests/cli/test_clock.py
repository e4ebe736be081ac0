from __future__ import annotations

import pytest

from studyspec.cli.clock import Clock
from studyspec.cli.progress import Progress


class Time:
    """A clock that stands still until it is moved [s]."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def clock() -> tuple[Clock, Time]:
    """Two preparations and two trainings."""
    time = Time()
    made = Clock(time)
    made.expect({"p0": "prepare", "p1": "prepare", "t0": "train", "t1": "train"})
    return made, time


def test_nothing_is_said_of_the_time_left_before_a_job_was_seen() -> None:
    made, _ = clock()
    assert made.left() is None
    assert made.share == 0


def test_time_left_counts_stages_that_were_not_seen_in_proportion() -> None:
    made, time = clock()
    made.start("p0")
    time.now = 2.0
    assert made.stop("p0", "done") == 2.0
    assert made.left() == pytest.approx(2 + 2 * 16)
    assert made.jobs == (1, 4)


def test_times_of_earlier_runs_are_used_at_once() -> None:
    made, _ = clock()
    made.expect({}, {"prepare": 1.0, "train": 10.0})
    assert made.left() == pytest.approx(22)


def test_a_job_that_two_studies_need_is_counted_once() -> None:
    made, _ = clock()
    made.expect({"p0": "prepare", "e": "evaluate"})
    assert made.jobs == (0, 5)


def test_how_far_a_training_is_counts() -> None:
    made, _ = clock()
    made.expect({}, {"prepare": 1.0, "train": 10.0})
    made.start("t0")
    made.reached("t0", 0.5)
    assert made.share == pytest.approx(5 / 22)


def test_workers_share_the_rest() -> None:
    made, _ = clock()
    made.expect({}, {"prepare": 1.0, "train": 10.0})
    made.start("p0")
    made.start("p1")
    assert made.left() == pytest.approx(11)


@pytest.mark.parametrize("width", [20, 79, 200])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    progress = Progress()
    progress._clock.expect({f"k{i}": "train" for i in range(9)}, {"train": 1e4})
    for i in range(9):
        progress._running[f"k{i}"] = f"train {'x' * 300}, fold {i}"
        progress._clock.start(f"k{i}")
    for pretty in (True, False):
        lines = progress.lines(width, pretty)
        assert max(map(len, lines)) <= width
        assert "%" in lines[0]
        assert len(lines) == 6
    assert "left" in progress.lines(79)[0]
