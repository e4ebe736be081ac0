"""Record texts to rows of tables, by DuckDB itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from studyspec.jobs.evaluate import Evaluate
from studyspec.jobs.stages import STAGES
from studyspec.store.connection import Connection
from studyspec.store.record_file import PLAN, SCHEMA, Head
from studyspec.store.sql_types import columns, kind, text
from studyspec.store.stage_tables import ATTEMPT, faults, json_type, parsing, stage_tables

INCOMING = f"""
create or replace temp table incoming as
select record, hash, text, try_cast(text->>'schema' as bigint) as schema,
       from_json(text, {json_type(kind(Head))}) as h
from (select unnest($1) as record, unnest($2) as hash, unnest($3) as text)
"""
INVALID = """
select record from (select unnest($1) as record, unnest($2) as text) where not json_valid(text)
"""
EARLIER = f"select min(record) from incoming where schema between 1 and {SCHEMA - 1}"
HEAD_FAULTS = [
    (f"schema is distinct from {SCHEMA}", "of another schema"),
    *((f"h.{c.name} is null", f"no {c.name}") for c in columns(Head) if c.required),
]
COUNTS = ("tp", "fp", "fn", "tn")
IMAGES_FAULT = (
    "coalesce(list_max(r.scores.image) >= len(r.image_ids) or list_min(r.scores.image) < 0, false)",
    "its scores do not fit together",
)
PIXELS = (
    "list_transform(range(1, len(r.scores.tp) + 1), lambda i: "
    "r.scores.tp[i] + r.scores.fp[i] + r.scores.fn[i] + r.scores.tn[i])"
)
COUNT_FAULTS = [
    (
        f"coalesce(least({', '.join(f'list_min(r.scores.{n})' for n in COUNTS)}) < 0, false)",
        "its counts are negative",
    ),
    (
        f"coalesce(list_min({PIXELS}) <> list_max({PIXELS}) "
        f"or pow(round(sqrt(list_min({PIXELS}))), 2) <> list_min({PIXELS}), false)",
        "its counts do not add up to the pixels of a patch",
    ),
]
SIZES = f"""
select record, t.images[1], list_min({PIXELS})
from parsed_{Evaluate.stage} where len(t.images) > 0 and len(r.scores.tp) > 0
"""
ATTEMPTS = f"""
insert into stored.attempt by name
select record, hash, {", ".join(column.read("h") for column in ATTEMPT)}
from incoming where h.stage <> '{PLAN}'
"""


class Earlier(Exception):  # noqa: N818
    """A record of an earlier schema is among them: its name."""


def insert_records(
    connection: Connection,
    records: Sequence[tuple[str, str, str]],
    pixels: Callable[[str], int | None] = lambda _: None,
) -> dict[str, str]:
    """Insert records, given as names, hashes and texts; why some were refused, by name.

    `pixels` tells how large the patches of a prepare task are, if that is known.

    Leaves the temporary table `incoming` with what was inserted, plans among it, and for each stage
    `parsed_STAGE`.

    Raises
    ------
    Earlier
        If one is of an earlier schema.
    """
    names, hashes, texts = (list(column) for column in zip(*records, strict=True))
    found = connection.execute(INVALID, [names, texts]).fetchall()
    refused = {str(name): "not JSON, or cut short" for (name,) in found}
    kept = [record for record in records if record[0] not in refused]
    names, hashes, texts = ([record[i] for record in kept] for i in range(3))
    connection.execute(INCOMING, [names, hashes, texts])
    [(earlier,)] = connection.execute(EARLIER).fetchall()
    if earlier is not None:
        raise Earlier(earlier)
    refused |= _refuse(connection, "incoming", HEAD_FAULTS)
    for stage in STAGES:
        table = f"parsed_{stage}"
        connection.execute(f"create or replace temp table {table} as {parsing(stage)}")
        further = [IMAGES_FAULT, *COUNT_FAULTS] if stage == Evaluate.stage else []
        odd = _refuse(connection, table, faults(stage) + further)
        if stage == Evaluate.stage:
            sizes = _other_sizes(connection, pixels)
            _delete(connection, table, sizes)
            odd |= sizes
        _delete(connection, "incoming", odd)
        refused |= odd
        for one in stage_tables(stage):
            connection.execute(one.fill)
    connection.execute(ATTEMPTS)
    return refused


def _other_sizes(connection: Connection, pixels: Callable[[str], int | None]) -> dict[str, str]:
    """Tests whose counts are not of patches as their images were cut into, and why, by record."""
    found = connection.execute(SIZES).fetchall()
    odd = {}
    for record, image, counted in found:
        known = pixels(image)
        if known is not None and counted is not None and known != counted:
            odd[str(record)] = f"its counts are of {counted} pixels, its patches have {known}"
    return odd


def _refuse(
    connection: Connection, table: str, reasons: Sequence[tuple[str, str]]
) -> dict[str, str]:
    """Delete the rows with a fault; the first reason of each, by record."""
    cases = " ".join(f"when {condition} then {text(reason)}" for condition, reason in reasons)
    asked = f"select record, case {cases} end as reason from {table} where reason is not null"
    refused = {str(name): str(why) for name, why in connection.execute(asked).fetchall()}
    _delete(connection, table, refused)
    return refused


def _delete(connection: Connection, table: str, records: dict[str, str]) -> None:
    if records:
        connection.execute(f"delete from {table} where list_contains($1, record)", [list(records)])
