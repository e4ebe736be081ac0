"""Plan records to rows of tables, by DuckDB itself."""

from __future__ import annotations

from studyspec.store.database import Connection
from studyspec.store.image_views import make_image_views

CELL = (
    '[{"variant": "VARCHAR", "train": "VARCHAR", "test": "VARCHAR", "fold": "INTEGER", '
    '"split": "VARCHAR", "network": "VARCHAR", "evaluation": "VARCHAR"}]'
)
STATEMENTS = (
    """
    insert into stored.plan
    select record, hash, key, plan->>'study', coalesce(plan->>'profile', ''), finished_at,
           plan->>'question', plan->'spec', plan->>'source'
    from plans
    """,
    f"""
    insert into stored.plan_cell
    select record, position, unnest(cell)
    from (
        select record, generate_subscripts(cells, 1) - 1 as position, unnest(cells) as cell
        from (select record, from_json(plan->'cells', '{CELL}') as cells from plans)
    )
    """,
    """
    insert into stored.plan_variant
    select record, v.id, v.key
    from (select record, json_keys(plan->'variants') as names from plans),
         lateral (select generate_subscripts(names, 1) - 1 as id, unnest(names) as key) v
    """,
    """
    insert into stored.plan_setting
    select p.record, v.key, s.key, s.value->>'$'
    from plans p, json_each(p.plan, '$.variants') v, json_each(v.value) s
    """,
    """
    insert into stored.plan_dataset
    select record, position, name, d->>'label', d->'filter',
           from_json(d->'members', '["VARCHAR"]'), from_json(d->'images', '["VARCHAR"]')
    from (
        select p.record, d.key as name, d.value as d,
               list_position(json_keys(p.plan->'datasets'), d.key) - 1 as position
        from plans p, json_each(p.plan, '$.datasets') d
    )
    """,
    """
    insert into stored.plan_image
    select p.record, i.key, i.value from plans p, json_each(p.plan, '$.images') i
    """,
    """
    insert into stored.plan_network
    select p.record, n.key, from_json(n.value->'members', '["VARCHAR"]')
    from plans p, json_each(p.plan, '$.networks') n
    """,
    """
    insert into stored.plan_evaluation
    select p.record, e.key, e.value->>'images'
    from plans p, json_each(p.plan, '$.evaluations') e
    """,
    """
    insert into stored.plan_list
    select p.record, l.key, from_json(l.value, '["VARCHAR"]')
    from plans p, json_each(p.plan, '$.lists') l
    """,
)


def insert_plans(connection: Connection) -> None:
    """Insert the plans in the temporary table `incoming`, if there are any."""
    connection.execute("drop table if exists plans")
    connection.execute(
        "create temp table plans as select record, hash, r.key as key, "
        "r.finished_at as finished_at, text::json->'result' as plan "
        "from incoming where r.stage = 'plan'"
    )
    if connection.execute("select count(*) from plans").fetchone() == (0,):
        return
    for statement in STATEMENTS:
        connection.execute(statement)
    make_image_views(connection)
