from __future__ import annotations

import pytest

from studyspec.learn.course import Course
from studyspec.spec.sections import TrainingNumbers


def test_by_epochs_a_pass_lies_between_two_validations() -> None:
    course = Course(TrainingNumbers(epochs=3, batch_size=4), samples=10)
    assert (course.steps_per_pass, course.steps) == (3, 9)
    assert [course.steps_of(epoch) for epoch in range(3)] == [range(3), range(3, 6), range(6, 9)]
    assert course.seen(1) == 10


def test_by_steps_validations_follow_the_steps() -> None:
    numbers = TrainingNumbers(steps=8, validate_every=3, batch_size=4)
    course = Course(numbers, samples=10)
    assert (course.steps, numbers.validations) == (8, 3)
    assert [course.steps_of(epoch) for epoch in range(3)] == [range(3), range(3, 6), range(6, 8)]
    assert [course.seen(epoch) for epoch in range(3)] == [10, 10, 8]


@pytest.mark.parametrize(("steps", "every", "times"), [(300, 30, 10), (25, 3, 9), (3, 1, 3)])
def test_steps_are_validated_ten_times_at_most(steps: int, every: int, times: int) -> None:
    numbers = TrainingNumbers(steps=steps)
    assert (numbers.every, numbers.validations) == (every, times)
