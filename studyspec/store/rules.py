"""The rules that SQL and Python both follow, each stated here once for both. Knows no database.

Which of several records gives a job's result, which plan of a study counts, and which cell is the
own set of another.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

BASE = "base"
AGREEMENT = 1e-3
"""Pooled dice of tests made with the same weights differ by no more, whatever the machine."""


class Finished(Protocol):
    """A record that is done, as far as the rules ask."""

    @property
    def path(self) -> Path:
        """Its file."""

    @property
    def finished_at(self) -> datetime:
        """When it was written."""

    @property
    def weights_sha256(self) -> str | None:
        """Of the weights that it made, or that it was made with."""

    def sha256(self) -> str:
        """Of its file."""


class Numbered(Finished, Protocol):
    """A record of a plan, as far as the rules ask."""

    @property
    def number(self) -> int:
        """Its place in the sequence of plans."""


F = TypeVar("F", bound=Finished)
P = TypeVar("P", bound=Numbered)

CHOSEN_FIRST = "coalesce(weights_sha256 = wanted, false) desc, finished_at, hash, record"
"""`ranked`, as an order of rows; `wanted` is null where there is no such hash."""

NEWEST_FIRST = "p.number desc, p.created_at desc, p.record desc"
"""`newest`, as an order of plans `p`."""


def ranked(done: Sequence[F], wanted: str | None = None) -> list[F]:
    """Several results of one job, the chosen one first: the earliest, then that of the lowest hash.

    Of evaluations those come first that were made with the `wanted` weights: the chosen ones of
    their network.
    """
    if len(done) < 2:
        return list(done)

    def rank(one: F) -> tuple[bool, datetime, str, str]:
        wrong = wanted is None or one.weights_sha256 != wanted
        return wrong, one.finished_at, one.sha256(), one.path.name

    return sorted(done, key=rank)


def newest(plans: Iterable[P]) -> P:
    """The plan that counts, of those of one study and profile: the one of the highest number.

    Times decide only between plans that did not know each other, and those of earlier versions;
    the next plan to be written has a higher number than any of them.
    """
    return max(plans, key=lambda plan: (plan.number, plan.finished_at, plan.path.name))


def own_variant(planned: Container[tuple[str, str, str]], variant: str, test: str) -> str | None:
    """The variant whose cell (test, test) is the own set of the cells of a variant on a test set.

    Parameters
    ----------
    planned
        Variant, train and test of every cell of the study on split test, with scores or not.
    """
    for one in (variant, BASE):
        if (one, test, test) in planned:
            return one
    return None


def of_own_set(value: str) -> str:
    """`own_variant` in SQL: a value of a cell's own set, null unless all folds of that have scores.

    It stands in a select from all cells on split test, with or without scores: study, profile,
    variant, train, test, `folds` with scores and `planned` ones.
    """
    alike, base = "study, profile, test, variant", "study, profile, test"
    return f"""
    case when count(*) filter (train = test) over (partition by {alike}) > 0
         then max({value}) filter (train = test and folds = planned) over (partition by {alike})
         else max({value}) filter (train = test and variant = '{BASE}' and folds = planned)
              over (partition by {base})
    end"""
