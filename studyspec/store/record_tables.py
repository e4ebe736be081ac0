"""Record texts to rows of tables, by DuckDB itself: a training's epochs, an evaluation's counts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from studyspec.store.database import Connection
from studyspec.store.record_file import SCHEMA

COUNTS: dict[str, Any] = {
    "image": ["INTEGER"],
    "row": ["INTEGER"],
    "col": ["INTEGER"],
    "orientation": ["INTEGER"],
    "tp": ["INTEGER"],
    "fp": ["INTEGER"],
    "fn": ["INTEGER"],
    "tn": ["INTEGER"],
    "loss_sum": ["DOUBLE"],
    "soft_intersection": ["DOUBLE"],
    "soft_sum": ["DOUBLE"],
}
WHOLE = tuple(name for name, kind in COUNTS.items() if kind == ["INTEGER"])
MEASURED = {
    "rho": "DOUBLE",
    "patches": "INTEGER",
    "contrast": "DOUBLE",
    "film_sd": "DOUBLE",
    "particle_sd": "DOUBLE",
    "skewness": "DOUBLE",
    "kurtosis": "DOUBLE",
    "roughness": "DOUBLE",
    "power": ["DOUBLE"],
    "low": "DOUBLE",
    "width": "DOUBLE",
    "particle": ["INTEGER"],
    "background": ["INTEGER"],
}
RECORD: dict[str, Any] = {
    "schema": "INTEGER",
    "key": "VARCHAR",
    "stage": "VARCHAR",
    "status": "VARCHAR",
    "weights_sha256": "VARCHAR",
    "started_at": "TIMESTAMP",
    "finished_at": "TIMESTAMP",
    "seconds": "DOUBLE",
    "peak_memory_bytes": "BIGINT",
    "device": "VARCHAR",
    "device_name": "VARCHAR",
    "host": "VARCHAR",
    "versions": "MAP(VARCHAR, VARCHAR)",
    "error": {"kind": "VARCHAR", "message": "VARCHAR", "hint": "VARCHAR"},
    "log": "VARCHAR",
    "ingredients": {
        "network": "VARCHAR",
        "split": "VARCHAR",
        "dihedral": "BOOLEAN",
        "fold": "INTEGER",
        "seed": "INTEGER",
    },
    "result": {
        "patches": "INTEGER",
        "height_px": "INTEGER",
        "width_px": "INTEGER",
        "bytes": "BIGINT",
        "particle_fraction": "DOUBLE",
        "best_epoch": "INTEGER",
        "precision": "VARCHAR",
        "n_train": "INTEGER",
        "n_validation": "INTEGER",
        "parameters": "INTEGER",
        "history": [
            {
                "epoch": "INTEGER",
                "train_loss": "DOUBLE",
                "validation_loss": "DOUBLE",
                "seconds": "DOUBLE",
            }
        ],
        "image_ids": ["VARCHAR"],
        "measured": [MEASURED],
        "scores": COUNTS,
    },
}

INCOMING = f"""
create temp table incoming as
select record, hash, text, from_json(text, '{json.dumps(RECORD)}') as r
from (select unnest($1) as record, unnest($2) as hash, unnest($3) as text)
"""
INVALID = """
select record from (select unnest($1) as record, unnest($2) as text) where not json_valid(text)
"""
LENGTHS = ", ".join(f"coalesce(list_count(s.{name}), 0)" for name in WHOLE)
ODD = f"""
select record,
       case when r.schema is distinct from {SCHEMA} then 'of another schema'
            when r.key is null or r.stage is null or r.status is null or r.finished_at is null
                then 'no key, stage, status or time'
            else 'its scores do not fit together' end
from (select record, r, r.result.scores as s, len(r.result.image_ids) as images from incoming)
where r.schema is distinct from {SCHEMA}
   or r.key is null or r.stage is null or r.status is null or r.finished_at is null
   or (r.stage = 'evaluate' and r.status = 'done' and (
        list_unique([{LENGTHS}]) > 1
        or coalesce(list_max(s.image) >= images or list_min(s.image) < 0, false)))
"""
STATEMENTS = (
    """
    insert into stored.attempt
    select record, hash, r.key, r.stage, r.status, r.weights_sha256, r.started_at, r.finished_at,
           r.seconds, r.peak_memory_bytes, r.device, r.device_name, r.host, r.versions,
           r.error.kind, r.error.message, r.error.hint, r.log
    from incoming where r.stage <> 'plan'
    """,
    """
    insert into stored.preparation
    select record, r.result.patches, r.result.height_px, r.result.width_px, r.result.bytes,
           r.result.particle_fraction
    from incoming where r.stage = 'prepare' and r.status = 'done'
    """,
    """
    insert into stored.training
    select record, r.ingredients.fold, r.ingredients.seed, r.result.best_epoch,
           r.result."precision", r.result.n_train, r.result.n_validation, r.result.parameters
    from incoming where r.stage = 'train' and r.status = 'done'
    """,
    """
    insert into stored.epoch
    select record, unnest(r.result.history, recursive := true)
    from incoming where r.stage = 'train' and r.status = 'done'
    """,
    """
    insert into stored.evaluation
    select record, r.ingredients.network, r.ingredients.split, r.ingredients.dihedral
    from incoming where r.stage = 'evaluate' and r.status = 'done'
    """,
    """
    insert into stored.measurement
    select record, image_id, unnest(m)
    from (
        select record, r.result.image_ids[1] as image_id, unnest(r.result.measured) as m
        from incoming where r.stage = 'measure' and r.status = 'done'
    )
    """,
    f"""
    insert into stored.patch_score
    select record, image_ids[image + 1], * exclude (record, image_ids, image)
    from (
        select record, r.result.image_ids as image_ids,
               {", ".join(f"unnest(r.result.scores.{name}) as {name}" for name in COUNTS)}
        from incoming where r.stage = 'evaluate' and r.status = 'done'
    )
    """,
)


def insert_records(
    connection: Connection, records: Sequence[tuple[str, str, str]]
) -> dict[str, str]:
    """Insert records, given as names, hashes and texts; why some were refused, by name.

    Leaves the temporary table `incoming` with what was inserted, plans among it.
    """
    names, hashes, texts = (list(column) for column in zip(*records, strict=True))
    found = connection.execute(INVALID, [names, texts]).fetchall()
    refused = {name: "not JSON, or cut short" for (name,) in found}
    kept = [record for record in records if record[0] not in refused]
    names, hashes, texts = ([record[i] for record in kept] for i in range(3))
    connection.execute("drop table if exists incoming")
    connection.execute(INCOMING, [names, hashes, texts])
    refused |= dict(connection.execute(ODD).fetchall())
    connection.execute("delete from incoming where list_contains($1, record)", [list(refused)])
    for statement in STATEMENTS:
        connection.execute(statement)
    return refused
