"""The matrix over a large store: seconds of the view, and of adding up all patches at the query.

Run: python tests/benchmarks/bench_matrix.py [EVALUATIONS]

The store is made in SQL, in a temporary folder: 50 patches for each of 1,000,000 evaluations take
some 4 GB of disk and a few minutes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from studyspec.store.connection import Connection
from studyspec.store.database import new_database, open_database
from studyspec.store.folder import Results
from studyspec.store.formulas import formulas
from studyspec.store.sums import Sums

EVALUATIONS = 1_000_000
STUDY = 5_000  # evaluations of a study: 2 variants x 20 training sets x 25 test sets x 5 folds
PATCHES, IMAGES = 50, 10  # of an evaluation
PART = 100_000
TIMES = 5
ONE = "where study = 's0' and profile = ''"

KEY = "sha256('e' || i)"
RECORD = f"{KEY} || '.' || md5('u' || i) || '.json'"
NETWORK = "sha256('n' || i // 125 || '.' || i % 5)"
PLAN = f"md5('p' || i // {STUDY}) || '.json'"

PLANS = f"""
insert into stored.plan by name
select {PLAN} as record, 's' || i // {STUDY} as study, '' as profile,
       timestamp '2030-01-01' as created_at
from range(0, $n, {STUDY}) t(i)
"""
CELLS = f"""
insert into stored.plan_cell by name
select {PLAN} as plan, i % {STUDY} as position, if(i // 2500 % 2 = 0, 'base', 'noisy') as variant,
       'd' || i // 125 % 20 as train, 'd' || i // 5 % 25 as test, i % 5 as fold, 'test' as split,
       {NETWORK} as network, {KEY} as evaluation
from range($n) t(i)
"""
ATTEMPTS = f"""
insert into stored.attempt by name
select {RECORD} as record, md5('h' || i) as hash, {KEY} as key, 'evaluate' as stage,
       'done' as status, 'w' as weights_sha256, {NETWORK} as network,
       timestamp '2030-01-02' as finished_at
from range($n) t(i)
"""
TESTS = f"""
insert into stored.evaluate by name
select {RECORD} as record, 'test' as split,
       list_transform(range({IMAGES}), lambda k: 'image' || k) as image_ids
from range($n) t(i)
"""
CHOSEN = """
insert into stored.chosen by name select key, stage, record, weights_sha256 from stored.attempt
"""
SCORES = f"""
insert into stored.evaluate_scores by name
select record, k % {IMAGES} as image, 0 as row, k // {IMAGES} as col, 0 as orientation,
       3000 + h % 1000 as tp, h % 489 as fp, h % 367 as fn, 12000 as tn, h % 997 / 10 as loss_sum,
       2900.5 as soft_intersection, 6800.5 as soft_sum
from (select {RECORD} as record, i from range($first, $last) t(i)) r,
     lateral (select k, hash(i, k) % 1000000 as h from range({PATCHES}) p(k))
"""

BEFORE = """
with chosen as (
    select key, record from stored.attempt where status = 'done'
    qualify row_number() over (partition by key order by finished_at, hash, record) = 1
), image as (
    select c.key as evaluation, s.image, count(*) as n,
           sum((2 * tp + 1) / (2 * tp + fp + fn + 1)) as dice,
           sum(tp)::double as tp, sum(fp)::double as fp, sum(fn)::double as fn
    from chosen c join stored.evaluate_scores s using (record) group by all
), evaluation as (
    select evaluation, sum(dice) / sum(n) as dice,
           2 * sum(tp) / nullif(2 * sum(tp) + sum(fp) + sum(fn), 0) as dice_micro
    from image group by evaluation
), cell as (
    select study, profile, variant, train, test, count(dice)::integer as folds,
           avg(dice) as dice_mean, stddev_samp(dice) as dice_sd,
           avg(dice_micro) as dice_micro_mean, stddev_samp(dice_micro) as dice_micro_sd
    from stored.plan_cell c join stored.newest_plan p on p.record = c.plan
    join evaluation using (evaluation)
    where split = 'test' group by all
)
select c.*, c.dice_mean / coalesce(o.dice_mean, b.dice_mean) as normalized
from cell c
left join cell o on (o.study, o.profile, o.variant, o.train, o.test)
                  = (c.study, c.profile, c.variant, c.test, c.test)
left join cell b on (b.study, b.profile, b.variant, b.train, b.test)
                  = (c.study, c.profile, 'base', c.test, c.test)
"""
SHOWN = "study, profile, variant, train, test, folds, dice_mean, dice_sd, normalized"


def make(results: Results, n: int) -> None:
    """A store of n evaluations, each of a job and cell of its own."""
    with new_database(results) as connection:
        for statement in (PLANS, CELLS, ATTEMPTS, TESTS):
            connection.execute(statement, {"n": n})
        connection.execute(CHOSEN)
        for first in range(0, n, PART):
            connection.execute(SCORES, {"first": first, "last": min(first + PART, n)})
        Sums(formulas()).fill(connection)


def seconds(connection: Connection, sql: str, times: int = TIMES) -> tuple[float, float]:
    """The least time of several that a query takes, with its rows as a table, and that of cores."""
    taken = []
    for _ in range(times):
        began, worked = time.perf_counter(), time.process_time()
        connection.execute(f"create or replace temp table answer as {sql}")
        taken.append((time.perf_counter() - began, time.process_time() - worked))
    return min(taken)


def main() -> None:
    """Make a store; print the figures."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else EVALUATIONS
    with tempfile.TemporaryDirectory() as folder:
        results = Results(Path(folder))
        began = time.perf_counter()
        make(results, n)
        size, took = results.database.stat().st_size / 1e9, time.perf_counter() - began
        print(f"{n:,} evaluations, {n * PATCHES:,} patches: {size:.1f} GB, made in {took:.0f} s")
        with open_database(results) as connection:
            print(f"{'matrix':<34}{'before [s]':>12}{'now [s]':>10}{'of cores':>10}{'ratio':>8}")
            for name, where in (("of one study", ONE), ("of all studies", "")):
                before, _ = seconds(connection, f"from ({BEFORE}) {where}", times=1)
                for what in (SHOWN, "*"):
                    now, cores = seconds(connection, f"select {what} from matrix {where}")
                    columns = "dice and normalized" if what == SHOWN else "all metrics"
                    line = f"{name}, {columns}"
                    print(
                        f"{line:<34}{before:>12.2f}{now:>10.3f}{cores:>10.3f}{before / now:>8.0f}"
                    )


if __name__ == "__main__":
    main()
