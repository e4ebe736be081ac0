"""Numbers of the command line: one, a list as 30,80,423, or a range as -25..25/5.

Where a number may differ from image to image, normal(5, 3) and uniform(-20, 20) too.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal, DecimalException, InvalidOperation
from typing import TYPE_CHECKING

from studyspec.errors import StudySpecError

if TYPE_CHECKING:
    from studyspec.api.catalog import Distribution

FORM = "write a number, a list as 30,80,423, or a range as -25..25/5: from, to, step"
OUTSIDE = re.compile(r",(?![^()]*\))")
"""Commas that are not within brackets."""
MOST = 1000
"""A longer range is a slip."""


def numbers(text: str, option: str) -> tuple[float, ...]:
    """The numbers that an option's text names, each once; both ends of a range included.

    Raises
    ------
    StudySpecError
        Naming the option and its text, if a part is neither a number nor a range, or the steps do
        not end at the end.
    """
    try:
        return tuple(dict.fromkeys(one for part in text.split(",") for one in _part(part)))
    except DecimalException:
        raise StudySpecError(f"'{text}' is not a range", where=option, hint=FORM) from None


def numbers_or_distributions(text: str, option: str) -> tuple[float | Distribution, ...]:
    """The same, of parts that may also be distributions.

    Raises
    ------
    StudySpecError
        Naming the option and what of its text is neither.
    """
    from studyspec.api.catalog import Distribution

    found: list[float | Distribution] = []
    for part in OUTSIDE.split(text):
        if any(mark in part for mark in "()") or part.strip().isalpha():
            try:
                found.append(Distribution.parse(part))
            except StudySpecError as error:
                raise StudySpecError(error.what, where=option, hint=error.hint) from None
        else:
            found.extend(numbers(part, option))
    return tuple(dict.fromkeys(found))


def _part(text: str) -> tuple[float, ...]:
    first, dots, rest = text.partition("..")
    if not dots:
        return (float(_decimal(first)),)
    last, slash, step = rest.partition("/")
    if not slash:
        raise InvalidOperation
    return _steps(_decimal(first), _decimal(last), _decimal(step))


def _decimal(text: str) -> Decimal:
    """As decimal, in which 0.1 three times is 0.3."""
    found = Decimal("NaN" if "_" in text else text.strip())  # to Python, 1_000 is a number
    if not found.is_finite() or not math.isfinite(float(found)):
        raise InvalidOperation
    return found


def _steps(first: Decimal, last: Decimal, step: Decimal) -> tuple[float, ...]:
    if step <= 0 or last < first or (last - first) / step >= MOST or (last - first) % step:
        raise InvalidOperation
    return tuple(float(first + n * step) for n in range(int((last - first) / step) + 1))
