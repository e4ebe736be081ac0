"""Numbers of the command line: one, a list as 30,80,423, or a range as -25..25/5."""

from __future__ import annotations

import math
from decimal import Decimal, DecimalException, InvalidOperation

from studyspec.errors import StudySpecError

FORM = "write a number, a list as 30,80,423, or a range as -25..25/5: from, to, step"
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
    found = Decimal(text.strip())
    if not found.is_finite() or not math.isfinite(float(found)):
        raise InvalidOperation
    return found


def _steps(first: Decimal, last: Decimal, step: Decimal) -> tuple[float, ...]:
    if step <= 0 or last < first or (last - first) / step >= MOST or (last - first) % step:
        raise InvalidOperation
    return tuple(float(first + n * step) for n in range(int((last - first) / step) + 1))
