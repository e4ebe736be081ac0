"""Plan records to rows of tables, by DuckDB itself: cells, variants, datasets, images, lists."""

from __future__ import annotations

import json

from studyspec.store.connection import Connection
from studyspec.store.formulas import formulas
from studyspec.store.image_views import make_image_views
from studyspec.store.record_file import PLAN as STAGE
from studyspec.store.sql_types import text

DATASET = "STRUCT(label VARCHAR, filter JSON, members VARCHAR[], images VARCHAR[])"
PLAN = {
    "study": "VARCHAR",
    "profile": "VARCHAR",
    "question": "VARCHAR",
    "spec": "JSON",
    "source": "VARCHAR",
    "cells": [
        {
            "variant": "VARCHAR",
            "train": "VARCHAR",
            "test": "VARCHAR",
            "fold": "INTEGER",
            "split": "VARCHAR",
            "network": "VARCHAR",
            "evaluation": "VARCHAR",
        }
    ],
    "measurements": [
        {
            "variant": "VARCHAR",
            "dataset": "VARCHAR",
            "image_id": "VARCHAR",
            "measurement": "VARCHAR",
        }
    ],
    "trials": [
        {"trial": "INTEGER", "settings": "JSON", "networks": ["VARCHAR"], "best": "BOOLEAN"}
    ],
    "variants": "MAP(VARCHAR, MAP(VARCHAR, VARCHAR))",
    "datasets": f"MAP(VARCHAR, {DATASET})",
    "images": "MAP(VARCHAR, JSON)",
    "networks": "MAP(VARCHAR, STRUCT(members VARCHAR[]))",
    "evaluations": "MAP(VARCHAR, STRUCT(images VARCHAR))",
    "lists": "MAP(VARCHAR, VARCHAR[])",
}


def _entries(name: str, columns: str) -> str:
    """Rows of a map of the plan: its entries as `e`, their order as `position`."""
    return f"""
    select record, {columns}
    from (
        select record, generate_subscripts(map_keys(p.{name}), 1) - 1 as position,
               unnest(map_entries(p.{name})) as e
        from plans
    )
    """


PLANS = f"""
create or replace temp table plans as
select record, hash, h.key as key, h.finished_at as finished_at,
       coalesce(h.sequence.number, 0) as number,
       from_json(text->'result', {text(json.dumps(PLAN))}) as p
from incoming where h.stage = '{STAGE}'
"""
FAULTS = """
select record from plans join incoming using (record)
where p is null or p.study is null or p.study is distinct from h.plan.study
   or p.profile is distinct from h.plan.profile
   or p.cells is null or p.variants is null or p.datasets is null or p.images is null
   or list_bool_or(list_transform(map_values(p.images), image -> json_type(image) <> 'OBJECT'))
"""
STATEMENTS = (
    """
    insert into stored.plan
    select record, hash, key, p.study, coalesce(p.profile, ''), finished_at, p.question, p.spec,
           p.source, number
    from plans
    """,
    """
    insert into stored.plan_cell
    select record, generate_subscripts(p.cells, 1) - 1, unnest(p.cells, recursive := true)
    from plans
    """,
    """
    insert into stored.plan_trial
    select record, unnest(p.trials, max_depth := 2) from plans
    """,
    """
    insert into stored.plan_measurement
    select record, unnest(p.measurements, recursive := true) from plans
    """,
    "insert into stored.plan_variant" + _entries("variants", "position, e.key"),
    f"""
    insert into stored.plan_setting
    select record, variant, s.key, s.value
    from (
        select record, variant, unnest(map_entries(settings)) as s
        from ({_entries("variants", "e.key as variant, e.value as settings")})
    )
    """,
    "insert into stored.plan_dataset"
    + _entries(
        "datasets",
        "position, e.key, e.value.label, e.value.filter, e.value.members, e.value.images",
    ),
    "insert into stored.plan_image" + _entries("images", "e.key, e.value"),
    "insert into stored.plan_network" + _entries("networks", "e.key, e.value.members"),
    "insert into stored.plan_evaluation" + _entries("evaluations", "e.key, e.value.images"),
    "insert into stored.plan_list" + _entries("lists", "e.key, e.value"),
)


def insert_plans(connection: Connection) -> dict[str, str]:
    """Insert the plans in the temporary table `incoming`; why some were refused, by name."""
    connection.execute(PLANS)
    odd = [name for (name,) in connection.execute(FAULTS).fetchall()]
    connection.execute("delete from plans where list_contains($1, record)", [odd])
    _insert(connection)
    return dict.fromkeys(odd, "its result is no plan of the study that it names")


def _insert(connection: Connection) -> None:
    if connection.execute("select count(*) from plans").fetchone() == (0,):
        return
    for statement in STATEMENTS:
        connection.execute(statement)
    make_image_views(connection, formulas())
