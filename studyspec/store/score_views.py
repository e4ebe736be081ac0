"""The views of scores, with a column for each metric: cells, scores, cell_scores and matrix."""

from __future__ import annotations

from collections.abc import Iterator

from studyspec.store.formulas import CELL, KEYS, NORMALIZED_BY, Formulas
from studyspec.store.rules import NEWEST_FIRST, of_own_set
from studyspec.store.sql_types import quoted

ORDERED = "order by fold, evaluation"
"""How folds are added up: in another order the last bits would be others."""
NEWEST_PLAN = f"""
create or replace view stored.newest_plan as
select p.record, p.study, p.profile from stored.plan p
qualify row_number() over (partition by p.study, p.profile order by {NEWEST_FIRST}) = 1
"""


def score_views(formulas: Formulas) -> Iterator[str]:
    """Statements that make the views, those first that others stand on."""
    cell, keys = ", ".join(CELL), ", ".join(KEYS)
    names = ", ".join(map(quoted, formulas.names))
    yield NEWEST_PLAN
    yield f"create or replace view cells as select {cell}, {keys} from stored.fold_cell"
    yield f"""
    create or replace view stored.fold_metrics as
    select {cell}, n, n_patches::integer as n_patches, {formulas.columns()}, {keys}
    from stored.fold_cell
    """
    yield f"""
    create or replace view scores as
    select {cell}, n_patches, {names}, {keys} from stored.fold_metrics where n is not null
    """
    yield f"""
    create or replace view stored.image_metrics as
    select record, image_id, n_patches::integer as n_patches, {formulas.columns()}
    from stored.image_sum
    """
    yield f"""
    create or replace view cell_scores as
    select study, profile, variant, train, test, split, metric,
           count(value)::integer as folds, avg(value {ORDERED}) as mean,
           stddev_samp(value {ORDERED}) as sd
    from (unpivot scores on {names} into name metric value value)
    group by all
    """
    yield _matrix(formulas)


def _matrix(formulas: Formulas) -> str:
    """Mean and standard deviation (ddof 1) of every metric over the folds of split test."""
    told = [
        f"{name}(m.{quoted(metric)} {ORDERED}) as {quoted(f'{metric}_{what}')}"
        for metric in formulas.names
        for name, what in (("avg", "mean"), ("stddev_samp", "sd"))
    ]
    mean = quoted(f"{NORMALIZED_BY}_mean")
    return f"""
    create or replace view matrix as
    select * exclude (planned, own), {mean} / own as normalized
    from (
        select *, {of_own_set(mean)} as own
        from (
            select study, profile, variant, train, test, count(*) as planned,
                   count(n)::integer as folds, {", ".join(told)}
            from stored.fold_metrics m where split = 'test'
            group by study, profile, variant, train, test
        )
    )
    where folds > 0
    """
