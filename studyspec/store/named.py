"""Named queries: what people ask of the store again and again, as `studyspec sql @NAME`."""

from __future__ import annotations

from dataclasses import dataclass

from studyspec.errors import QueryError
from studyspec.spec.wording import nearest

MARK = "@"


@dataclass(frozen=True)
class NamedQuery:
    """A query and what it tells."""

    tells: str
    sql: str


NAMED = {
    "matrix": NamedQuery(
        "every cell: mean and standard deviation of dice over the folds",
        "select study, profile, variant, train, test, folds, dice_mean, dice_sd, normalized\n"
        "from matrix order by all",
    ),
    "transfer": NamedQuery(
        "what is lost on another set: cells by their dice of own-set dice, worst first",
        "select study, variant, train, test, dice_mean, normalized\n"
        "from matrix where train <> test order by normalized, dice_mean",
    ),
    "oversegmentation": NamedQuery(
        "share of false positives among wrong pixels, by cell",
        "select study, variant, train, test, mean as oversegmentation, sd\n"
        "from cell_scores where metric = 'oversegmentation' and split = 'test' order by all",
    ),
    "worst": NamedQuery(
        "the twenty images that networks fail on most",
        "select study, image_id, test, avg(dice) as dice, count(*) as networks\n"
        "from image_scores where split = 'test'\n"
        "group by study, image_id, test order by dice, study, image_id limit 20",
    ),
    "folds": NamedQuery(
        "every fold of every cell",
        "select * exclude (network, evaluation) from scores order by all",
    ),
    "images": NamedQuery(
        "statistics of images, by dataset and noise",
        "select study, variant, dataset, rho, count(*) as images, avg(contrast) as contrast,\n"
        "       avg(film_sd) as film_sd, avg(particle_sd) as particle_sd,\n"
        "       avg(roughness) as roughness\n"
        "from image_statistics group by study, variant, dataset, rho order by all",
    ),
    "trials": NamedQuery("trials of searches", "from trials order by study, profile, trial"),
    "times": NamedQuery(
        "how long jobs took, by stage and device [s]",
        "select stage, device_name, count(*) as jobs, sum(seconds) as seconds,\n"
        "       avg(seconds) as mean, max(peak_memory_bytes) / 1e6 as peak_MB\n"
        "from attempts where status = 'done' group by stage, device_name order by all",
    ),
    "failures": NamedQuery("jobs without a result, and why", "from failures order by finished_at"),
    "studies": NamedQuery(
        "the studies in the store",
        "select study, profile, count(distinct variant) as variants, count(*) as cells,\n"
        "       count(dice_mean) as scored\n"
        "from matrix group by study, profile order by all",
    ),
}


def resolved(query: str) -> str:
    """The SQL of a query: itself, or what a name after @ stands for.

    Raises
    ------
    QueryError
        If there is no query of that name.
    """
    asked = query.strip()
    if not asked.startswith(MARK):
        return query
    name = asked.removeprefix(MARK)
    if name not in NAMED:
        close = nearest(name, NAMED) if name else "a name"
        raise QueryError(f"no query '{asked}'", hint=f"{close}; there are @{', @'.join(NAMED)}")
    return NAMED[name].sql
