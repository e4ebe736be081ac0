"""Queries: what is asked of the store, one question at a time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from studyspec.jobs.stages import STAGES
from studyspec.store.database import open_database
from studyspec.store.folder import Results
from studyspec.store.snapshot import LIMITS, Limits, Table, snapshot

__all__ = [
    "Failed",
    "Overview",
    "StageCount",
    "Table",
    "doubts",
    "overview",
    "stage_seconds",
    "study_matrix",
    "user_query",
    "words",
]


TITLES = """
with variant_of as (
    select c.*, p.study, p.number,
           case variant when 'base' then '' else ' (' || variant || ')' end as named,
           case when fold is null then '' else ', fold ' || fold end as folded
    from stored.plan_cell c join stored.plan p on p.record = c.plan
), told as (
    select network as key, study, number, 1 as place,
           'train ' || train || named || folded as title
    from variant_of where fold is not null
    union all
    select evaluation, study, number, 2,
           'test ' || train || named || ' on ' || test
               || case split when 'test' then '' else ' (' || split || ' part)' end || folded
    from variant_of
    union all
    select d.prepare, p.study, p.number, 3, 'prepare an image of ' || d.dataset
    from stored.dataset_prepare d join stored.plan p on p.record = d.plan
)
select key, min_by(study || ': ' || title, (place, -number, study, title)) from told
where list_contains(?, key) group by key"""
"""A title for each of some jobs, as a study has it: of those that share one, the newest."""
SHOWN_KEY = 12
"""So many digits of a key tell jobs apart."""


@dataclass(frozen=True)
class StageCount:
    """How many jobs of a stage are done, and how many have failed so far."""

    stage: str
    done: int
    failed: int


@dataclass(frozen=True)
class Failed:
    """A job without a result: why its last attempt failed, and the log of that."""

    stage: str
    key: str
    title: str
    reason: str
    log: Path | None


@dataclass(frozen=True)
class Overview:
    """The jobs of all studies: counts for each stage, titles of those under way, failures.

    `doubts` are tests whose records disagree, in words.
    """

    stages: tuple[StageCount, ...]
    running: tuple[str, ...]
    failed: tuple[Failed, ...]
    doubts: tuple[str, ...] = ()


def user_query(results: Results, sql: str, limits: Limits = LIMITS) -> Table:
    """Answer one question of a user, in SQL or by a name ("@matrix"), also while others write.

    Nothing can be changed, no file and no Python object be read, no setting be set.

    Raises
    ------
    NothingThere
        If there are no results.
    QueryError
        If the SQL is wrong, is not one statement, is no question, or goes beyond the limits.
    """
    with snapshot(results, limits) as store:
        return store.query(sql)


def study_matrix(results: Results, study: str, profile: str | None) -> Table:
    """The view `matrix` of one study and profile.

    Raises
    ------
    NothingThere
        If there are no results.
    """
    asked = "from matrix where study = ? and profile = ? order by all"
    with snapshot(results) as store:
        return store.ask(asked, [study, profile or ""])


def stage_seconds(results: Results) -> dict[str, float]:
    """Mean time of a done job of each stage [s]; empty without a database."""
    if not results.database.exists():
        return {}
    asked = "select stage, avg(seconds) from attempts where status = 'done' group by stage"
    with open_database(results, read_only=True) as connection:
        found = connection.execute(asked).fetchall()
        return {str(stage): float(seconds) for stage, seconds in found}


def doubts(results: Results) -> dict[str, str]:
    """What makes results doubtful, by key of a test: records of it that disagree."""
    if not results.database.exists():
        return {}
    with open_database(results, read_only=True) as connection:
        found = connection.execute(
            "select key, records, lowest, highest from disagreements order by key"
        ).fetchall()
    return {
        str(key): f"{n} records of one test say dice {low:.3f} to {high:.3f}"
        for key, n, low, high in found
    }


def overview(results: Results) -> Overview:
    """Jobs of all studies by stage: done, running, failed; and the failures with their logs.

    Raises
    ------
    NothingThere
        If there are no results.
    """
    with open_database(results, read_only=True) as connection:
        done = dict(connection.execute(
            "select stage, count(distinct key) from attempts where status = 'done' group by stage"
        ).fetchall())  # fmt: skip
        failures = connection.execute(
            "select stage, key, coalesce(error_message, status), log from failures order by stage"
        ).fetchall()
    leases = results.leases.iterdir() if results.leases.exists() else ()
    running = sorted(path.name for path in leases if "." not in path.name)
    doubted = doubts(results)
    titles = _titles(results, [*running, *doubted, *(key for _, key, *_ in failures)])
    failed = [
        Failed(
            stage,
            key,
            titles.get(key, f"{stage} {key[:SHOWN_KEY]}"),
            reason,
            results.folder / log if log else None,
        )
        for stage, key, reason, log in failures
    ]
    stages = [one.stage for one in failed]
    return Overview(
        tuple(StageCount(stage, done.get(stage, 0), stages.count(stage)) for stage in STAGES),
        tuple(titles.get(key, key[:SHOWN_KEY]) for key in running),
        tuple(failed),
        tuple(f"{titles.get(key, key[:SHOWN_KEY])}: {why}" for key, why in doubted.items()),
    )


def _titles(results: Results, keys: list[str]) -> dict[str, str]:
    """What jobs are called in the newest plans, by key, as far as these name them."""
    if not keys:
        return {}
    with open_database(results, read_only=True) as connection:
        return dict(connection.execute(TITLES, [keys]).fetchall())


def words(results: Results) -> list[str]:
    """Names of all views and of their columns, for completion; nothing without a database."""
    if not results.database.exists():
        return []
    with open_database(results, read_only=True) as connection:
        found = connection.execute(
            "select distinct unnest([table_name, column_name]) as word from duckdb_columns() "
            "where schema_name = 'main' and not internal order by word"
        ).fetchall()
        return [word for (word,) in found]
