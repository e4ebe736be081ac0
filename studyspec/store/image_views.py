"""The views with the columns of the catalogs, the users' own included: image and image_scores."""

from __future__ import annotations

import json
from collections.abc import Iterator

from studyspec.catalog.columns import BY_NAME, COLUMNS
from studyspec.store.connection import Connection
from studyspec.store.formulas import CELL, KEYS, Formulas
from studyspec.store.rules import NEWEST_FIRST
from studyspec.store.sql_types import quoted, text

KINDS = {
    "UBIGINT": "BIGINT",
    "BIGINT": "BIGINT",
    "HUGEINT": "HUGEINT",
    "DOUBLE": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
}


def make_image_views(connection: Connection, formulas: Formulas) -> None:
    """Make the views anew, with every column that an image of any plan has."""
    for statement in image_views(formulas, ", ".join(_columns(connection, formulas))):
        connection.execute(statement)


def image_views(formulas: Formulas, columns: str) -> Iterator[str]:
    """The statements that make the views, with these columns of the catalogs."""
    yield f"""
    create or replace view stored.planned_image as
    select plan, {columns}
    from (select plan, columns, from_json(columns, {_typed()}) as typed
          from stored.plan_image)
    """
    yield f"""
    create or replace view image as
    select i.* exclude (plan)
    from stored.planned_image i join stored.plan p on p.record = i.plan
    qualify row_number() over (partition by i.image_id order by {NEWEST_FIRST}) = 1
    """
    cell = ", ".join(f"c.{name}" for name in CELL)
    keys = ", ".join(f"c.{name}" for name in KEYS)
    metrics = ", ".join(f"m.{quoted(name)}" for name in formulas.names)
    yield f"""
    create or replace view image_scores as
    select {cell}, m.image_id, m.n_patches, {metrics}, {keys}, i.* exclude (plan, image_id)
    from stored.fold_cell c
    join stored.image_metrics m on m.record = c.record
    left join stored.planned_image i on i.plan = c.plan and i.image_id = m.image_id
    """


def _typed() -> str:
    """The columns that every catalog has, as `from_json` wants them."""
    return text(json.dumps({column.name: column.kind for column in COLUMNS}))


def _columns(connection: Connection, formulas: Formulas) -> Iterator[str]:
    """A select expression for each column; no two names are the same, whatever their case."""
    scores = (*CELL, "n_patches", *formulas.names, *KEYS)
    taken = {name.lower() for name in (*scores, *BY_NAME, "plan")}
    for name in BY_NAME:
        yield f"typed.{name}"
    for name, kind in _own_columns(connection):
        alias = name
        while alias.lower() in taken:
            alias = f"image_{alias}"
        taken.add(alias.lower())
        path = text('$."' + name.replace('"', '\\"') + '"')
        yield f"(columns->>{path})::{kind} as {quoted(alias)}"


def _own_columns(connection: Connection) -> list[tuple[str, str]]:
    """The users' columns in the order of their names, with the DuckDB type that fits all values."""
    found = connection.execute(
        "select json_group_structure(columns)::varchar from stored.plan_image"
    ).fetchone()
    structure = json.loads(found[0]) if found and found[0] else {}
    own = sorted(name for name in structure if name and name not in BY_NAME)
    return [(name, KINDS.get(str(structure[name]), "VARCHAR")) for name in own]
