"""Results in a notebook: `studyspec.open("results").matrix("material")`, as a frame and a chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from studyspec.api.frames import MatrixRows, Rows
from studyspec.api.workplace import RESULTS, AnyPath, results_in
from studyspec.errors import NothingThere
from studyspec.spec.derived import DICE
from studyspec.spec.names import BASE
from studyspec.store.folder import Results
from studyspec.store.ingest import ingest_if_free
from studyspec.store.named import MARK, NAMED
from studyspec.store.queries import study_matrix, user_query
from studyspec.store.queries import words as words_of
from studyspec.store.snapshot import LIMITS, Limits

if TYPE_CHECKING:
    from studyspec.report.pairs import PairDifference


@dataclass(frozen=True)
class Scope:
    """Which cells are meant, by what all of them have in common.

    Attributes
    ----------
    study
        Name of the study; None: the only one that has them.
    profile
        Its profile.
    variant
        Their variant.
    metric
        What of them is looked at.
    """

    study: str | None = None
    profile: str | None = None
    variant: str = BASE
    metric: str = DICE


@dataclass(frozen=True)
class OpenResults:
    """A results folder, open for questions; the store itself is opened for each alone."""

    results: Results = field(repr=False)

    def sql(self, query: str, limits: Limits = LIMITS) -> Rows:
        """Answer SQL, or a query by its name ("@matrix"); raises as `api.sql`."""
        return Rows.of(user_query(self.results, query, limits))

    def studies(self) -> Rows:
        """The studies in the store."""
        return self.sql(f"{MARK}studies")

    def matrix(self, study: str, profile: str | None = None, variant: str = BASE) -> MatrixRows:
        """The matrix of a study: mean and standard deviation (ddof 1) over the folds.

        Raises
        ------
        NothingThere
            If the study has no scores.
        """
        found = study_matrix(self.results, study, profile)
        if not found.rows:
            known = ", ".join(str(row["study"]) for row in self.studies().dicts())
            raise NothingThere(f"study '{study}' has no scores here", hint=f"there are {known}")
        return MatrixRows(found.columns, tuple(found.rows), found.types, variant)

    def compare(
        self, first: str, second: str, on: str, scope: Scope | None = None
    ) -> PairDifference:
        """How two training sets differ on a test set, with an interval.

        Parameters
        ----------
        first, second
            The training sets, or foreign networks.
        on
            The test set.
        scope
            Study, profile, variant and metric.

        Raises
        ------
        QueryError
            If there is no such metric or cell, or several studies have both and none is named.
        NothingThere
            If the cells are not complete.
        """
        from studyspec.report.pairs import compare_pair

        of = scope or Scope()
        sets = (first, second)
        return compare_pair(self.results, sets, on, of.study, of.profile, of.variant, of.metric)


def open_results(folder: AnyPath = RESULTS) -> OpenResults:
    """Open a results folder, brought up to date with its records.

    Raises
    ------
    NothingThere
        If there are no results.
    """
    results = results_in(folder)
    ingest_if_free(results)
    if not results.database.exists():
        raise NothingThere("no results here", where=str(folder), hint="studyspec run makes them")
    return OpenResults(results)


def sql(query: str, results: AnyPath = RESULTS, limits: Limits = LIMITS) -> Rows:
    """Answer one SQL statement, or a query by its name ("@matrix"); the README has the views.

    Parameters
    ----------
    query
        It can change nothing, and may be asked while a run goes on.
    results
        The results folder.
    limits
        Longest time, most memory, most rows.

    Raises
    ------
    NothingThere
        If there are no results.
    QueryError
        If the SQL is wrong, is not one statement, is no question, or goes beyond the limits.
    """
    return OpenResults(results_in(results)).sql(query, limits)


def compare(
    first: str, second: str, on: str, scope: Scope | None = None, results: AnyPath = RESULTS
) -> PairDifference:
    """How two training sets differ on a test set; as `OpenResults.compare`."""
    return open_results(results).compare(first, second, on, scope)


def named_queries() -> Mapping[str, str]:
    """The queries that have names, such as "@matrix", and what each tells."""
    return {f"{MARK}{name}": query.tells for name, query in NAMED.items()}


def words(results: AnyPath = RESULTS) -> tuple[str, ...]:
    """The words of a query that depend on the store: views, columns, and names of queries."""
    return (*words_of(results_in(results)), *named_queries())
