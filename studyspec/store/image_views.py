"""The views with the columns of the catalogs, the users' own included: image and image_scores."""

from __future__ import annotations

import json
from collections.abc import Iterator

import duckdb

from studyspec.catalog.columns import BY_NAME, COLUMNS

SCORES = (
    "study", "profile", "variant", "train", "test", "fold", "split", "image_id", "n_patches",
    "dice", "dice_micro", "soft_dice", "loss", "precision", "recall", "oversegmentation",
    "network", "evaluation",
)  # fmt: skip
KINDS = {
    "UBIGINT": "BIGINT",
    "BIGINT": "BIGINT",
    "HUGEINT": "HUGEINT",
    "DOUBLE": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
}


def make_image_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the views anew, with every column that an image of any plan has."""
    columns = ", ".join(_columns(connection))
    connection.execute(
        f"""
        create or replace view stored.planned_image as
        select plan, {columns}
        from (select plan, columns, from_json(columns, '{_typed()}') as typed
              from stored.plan_image)
        """
    )
    connection.execute(
        """
        create or replace view image as
        select i.* exclude (plan)
        from stored.planned_image i join stored.plan p on p.record = i.plan
        qualify row_number() over (
            partition by i.image_id order by p.created_at desc, p.record desc
        ) = 1
        """
    )
    metrics = ", ".join(f'm."{name}"' for name in SCORES[8:-2])
    connection.execute(
        f"""
        create or replace view image_scores as
        select c.study, c.profile, c.variant, c.train, c.test, c.fold, c.split, m.image_id,
               {metrics}, c.network, c.evaluation, i.* exclude (plan, image_id)
        from stored.cell c
        join stored.image_metrics m on m.evaluation = c.evaluation and m.split = c.split
        left join stored.planned_image i on i.plan = c.plan and i.image_id = m.image_id
        """
    )


def _typed() -> str:
    """The columns that every catalog has, as `from_json` wants them."""
    return json.dumps({column.name: column.kind for column in COLUMNS})


def _columns(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """A select expression for each column; no two names are the same, whatever their case."""
    taken = {name.lower() for name in (*SCORES, *BY_NAME, "plan")}
    for name in BY_NAME:
        yield f"typed.{name}"
    for name, kind in _own_columns(connection):
        alias = name
        while alias.lower() in taken:
            alias = f"image_{alias}"
        taken.add(alias.lower())
        path = _text('$."' + name.replace('"', '\\"') + '"')
        yield f"(columns->>{path})::{kind} as {_identifier(alias)}"


def _own_columns(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """The users' columns in the order of their names, with the DuckDB type that fits all values."""
    found = connection.execute(
        "select json_group_structure(columns)::varchar from stored.plan_image"
    ).fetchone()
    structure = json.loads(found[0]) if found and found[0] else {}
    own = sorted(name for name in structure if name not in BY_NAME)
    return [(name, KINDS.get(str(structure[name]), "VARCHAR")) for name in own]


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
