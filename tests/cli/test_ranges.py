from __future__ import annotations

import pytest

from studyspec.cli.ranges import numbers, numbers_or_distributions
from studyspec.errors import StudySpecError


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("5", (5,)),
        ("-2.5", (-2.5,)),
        ("-10..10/5", (-10, -5, 0, 5, 10)),
        ("0..0.3/0.1", (0, 0.1, 0.2, 0.3)),
        ("3..3/1", (3,)),
        ("30,80,423", (30, 80, 423)),
        ("0..10/5,10,40", (0, 5, 10, 40)),
    ],
)
def test_numbers_lists_and_ranges_with_both_ends(text: str, found: tuple[float, ...]) -> None:
    assert numbers(text, "--x") == found


@pytest.mark.parametrize(
    "text",
    ["", "x", "nan", "1..2", "1..2/", "1..2/0", "2..1/1", "1..2/-1", "0..5/2", "0..9/1e-9", "1../1",
     "0..1e30/1e-30", "0..1e999999/1e-999999", "1e400", "inf..inf/1",
     "1,", ",1", "1,,2", "1,x"],
)  # fmt: skip
def test_a_bad_range_is_told(text: str) -> None:
    with pytest.raises(StudySpecError, match=r"--x: '.*' is not a range; write a number, a list"):
        numbers(text, "--x")


@pytest.mark.parametrize("text", ["1_000", "1..1_0/1", "normal(1_0, 1)"])
def test_what_only_python_takes_for_a_number_is_none(text: str) -> None:
    with pytest.raises(StudySpecError, match="--dose"):
        numbers_or_distributions(text, "--dose")
