"""Sums: what the views of scores are made of, kept up to date batch by batch.

`image_sum` and `evaluation_sum` hold the sums of every record; `chosen` tells which record gives
the result of each job; `fold_cell` holds every fold of the cells of the newest plans with the sums
of its chosen record. So a matrix costs its own cells, not all patches that were ever scored.
"""

from __future__ import annotations

from dataclasses import dataclass

from studyspec.jobs.evaluate import Evaluate
from studyspec.spec.identity import digest
from studyspec.store.connection import Connection
from studyspec.store.formulas import CELL, KEYS, Formulas, Sum
from studyspec.store.record_file import PLAN
from studyspec.store.rules import CHOSEN_FIRST
from studyspec.store.stage_tables import stage_tables

PATCHES = next(t for t in stage_tables(Evaluate.stage) if t.name == f"{Evaluate.stage}_scores")
"""The table of the counts of every patch."""

TOUCHED = f"""
create or replace temp table touched as
with done as (select h.key as key from incoming where h.stage <> '{PLAN}' and h.status = 'done')
select key from done
union
select key from stored.attempt where status = 'done' and network in (select key from done)
"""
"""Jobs whose chosen record may be another after this batch: tests follow their network."""

REPLANNED = f"""
create or replace temp table replanned as
select distinct h.plan.study as study, coalesce(h.plan.profile, '') as profile
from incoming where h.stage = '{PLAN}'
"""
"""Studies with a plan in this batch."""

FORGET = "delete from stored.chosen where key in (select key from touched)"
CHOOSE = f"""
insert into stored.chosen
with candidate as materialized (
    select key, stage, record, hash, finished_at, weights_sha256, network
    from stored.attempt
    where status = 'done' and key in (select key from touched) and (network is not null) = $tests
), made as (
    select key as network, weights_sha256 as wanted
    from stored.chosen where key in (select network from candidate)
)
select key, stage, record, weights_sha256
from candidate left join made using (network)
qualify row_number() over (partition by key order by {CHOSEN_FIRST}) = 1
"""
"""Those of trainings first: tests look at them."""

ALL_CELLS = """
select p.study, p.profile, c.*
from stored.plan_cell c join stored.newest_plan p on p.record = c.plan
"""
FILL = """
insert into stored.fold_cell by name
with cell as materialized ({cells}), done as materialized (
    select h.key, h.record from stored.chosen h where h.key in (select evaluation from cell)
), summed as (
    select d.key, s.* from done d join stored.evaluation_sum s on s.record = d.record
)
select c.*, s.* exclude (key) from cell c left join summed s on s.key = c.evaluation
"""
"""What is materialized is small, so that the large tables are searched and not joined whole."""

TESTS = f"(select record, r.image_ids as image_ids from parsed_{Evaluate.stage})"
AFFECTED = """
where evaluation in (select key from touched)
   or (study, profile) in (select (study, profile) from replanned)
"""
"""Cells that a batch may have changed."""


@dataclass(frozen=True)
class Sums:
    """The tables of sums that some metrics need."""

    formulas: Formulas

    @property
    def digest(self) -> str:
        """What the tables depend on: other ones must be made anew."""
        return digest([*self._definitions, self._image_sums("", ""), self._evaluation_sums("")])

    def make(self, connection: Connection) -> None:
        """Make the tables, empty."""
        for definition in self._definitions:
            connection.execute(f"create or replace table {definition}")

    def fill(self, connection: Connection) -> None:
        """Fill the tables from the patches of all records; the views must be there."""
        self._add(connection, f"from stored.{PATCHES.name}", f"stored.{Evaluate.stage}")
        connection.execute(FILL.format(cells=ALL_CELLS))

    def update(self, connection: Connection) -> None:
        """Bring the tables up to date with what was inserted of `incoming`, and no more."""
        connection.execute(TOUCHED)
        connection.execute(REPLANNED)
        self._add(connection, PATCHES.select, TESTS)
        connection.execute(FORGET)
        for tests in (False, True):
            connection.execute(CHOOSE, {"tests": tests})
        connection.execute(f"delete from stored.fold_cell {AFFECTED}")
        affected = f"select * from ({ALL_CELLS}) {AFFECTED}"
        connection.execute(FILL.format(cells=affected))

    def _add(self, connection: Connection, patches: str, tests: str) -> None:
        summed = self._image_sums(patches, tests)
        connection.execute(f"create or replace temp table summed as {summed}")
        connection.execute("insert into stored.image_sum by name from summed")
        totals = self._evaluation_sums("summed")
        connection.execute(f"insert into stored.evaluation_sum by name {totals}")
        connection.execute("drop table summed")

    @property
    def _definitions(self) -> list[str]:
        sums = ", ".join(["n bigint", "n_patches bigint", *(s.declared for s in self._all)])
        cell = ", ".join(f"{n} {'bigint' if n == 'fold' else 'varchar'}" for n in (*CELL, *KEYS))
        return [
            f"stored.image_sum (record varchar, image_id varchar, {sums})",
            f"stored.evaluation_sum (record varchar, {sums})",
            f"stored.fold_cell ({cell}, position bigint, plan varchar, record varchar, {sums})",
        ]

    def _image_sums(self, patches: str, tests: str) -> str:
        """Sums over the patches of an image, each in all its orientations.

        `tests` are evaluations with their image_ids.
        """
        totals = ", ".join(one.total("row, col, orientation", one.expression) for one in self._all)
        return f"""
        select record, image_ids[image + 1] as image_id, g.* exclude (record, image)
        from (
            select record, image, count(*) as n,
                   count(*) filter (orientation = 0) as n_patches, {totals}
            from {self.formulas.patches(patches)} group by record, image
        ) g join {tests} using (record)
        """

    def _evaluation_sums(self, images: str) -> str:
        totals = ", ".join(one.total("image_id") for one in self._all)
        return f"""
        select record, sum(n)::bigint as n, sum(n_patches)::bigint as n_patches, {totals}
        from {images} group by record
        """

    @property
    def _all(self) -> tuple[Sum, ...]:
        return self.formulas.sums
