"""The tables of the stages, derived from their models: what columns they have, what fills them.

The table of a stage bears its name and holds the plain values of the task and the result; a table
of rows within a result is called by both ("train_history"). So a stage or field is added in the
stage's module alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from studyspec.jobs.stages import STAGES
from studyspec.store.record_file import Head
from studyspec.store.sql_types import (
    Column,
    columns,
    elements,
    kind,
    lists_model,
    quoted,
    rows_model,
    struct,
    text,
)

RECORD = Column("record", "VARCHAR")
ATTEMPT = tuple(column for column in columns(Head) if column.name not in ("plan", "sequence"))


@dataclass(frozen=True)
class StageTable:
    """A table in the schema `stored`.

    Attributes
    ----------
    name, columns
        Its own; `record`, the name of the record file, comes first.
    select
        The query that gives its rows from the table `parsed_STAGE`.
    """

    name: str
    columns: tuple[Column, ...]
    select: str

    @property
    def fill(self) -> str:
        """The statement that inserts what there is in `parsed_STAGE`."""
        return f"insert into stored.{self.name} by name {self.select}"


def stage_tables(stage: str) -> Iterator[StageTable]:
    """The tables of a stage, its own first."""
    task, result = STAGES[stage], STAGES[stage].result
    taken = columns(result)
    given = [c for c in columns(task) if c.scalar and c.name not in {one.name for one in taken}]
    values = [c.read("t") for c in given] + [c.read("r") for c in taken]
    whole = (RECORD, *given, *taken)
    source = f"from parsed_{stage}"
    yield StageTable(stage, whole, f"select record, {', '.join(values)} {source}")
    for name, field in result.model_fields.items():
        table, place = f"{stage}_{name}", f"r.{quoted(name)}"
        if rows := rows_model(field):
            inner = columns(rows)
            each = ", ".join(column.read("one") for column in inner)
            select = f"select record, {each} from (select record, unnest({place}) as one {source})"
            yield StageTable(table, (RECORD, *inner), select)
        elif lists := lists_model(field):
            inner = elements(lists)
            each = ", ".join(f"{_element(one, place)} as {quoted(one.name)}" for one in inner)
            yield StageTable(table, (RECORD, *inner), f"select record, {each} {source}")


def all_stage_tables() -> Iterator[StageTable]:
    """The tables of all stages."""
    for stage in STAGES:
        yield from stage_tables(stage)


def parsing(stage: str) -> str:
    """The query that reads task (`t`) and result (`r`) of the done records in `incoming`."""
    task, result = STAGES[stage], STAGES[stage].result
    parts = struct([Column("ingredients", kind(task)), Column("result", kind(result))])
    return f"""
    select record, j.ingredients as t, j.result as r
    from (select record, from_json(text, {json_type(parts)}) as j
          from incoming where h.stage = '{stage}' and h.status = 'done')
    """


def json_type(kind: str) -> str:
    """A DuckDB type as `from_json` wants it."""
    return text('"' + kind.replace('"', '\\"') + '"')


def faults(stage: str) -> list[tuple[str, str]]:
    """What makes a done record of a stage unusable: conditions on `t` and `r`, and the reasons."""
    task, result = STAGES[stage], STAGES[stage].result
    found = [
        (f"{place}.{quoted(column.name)} is null", f"no {column.name} in its {what}")
        for place, what, model in (("t", "ingredients", task), ("r", "result", result))
        for column in columns(model)
        if column.required
    ]
    for name, field in result.model_fields.items():
        if lists := lists_model(field):
            lengths = _lengths(lists, f"r.{quoted(name)}")
            found.append((f"len(list_distinct({lengths})) > 1", f"its {name} do not fit together"))
    return found


def _lengths(lists: type[BaseModel], place: str) -> str:
    """The lengths of all lists; whole numbers that could not be read are missing."""
    plain, mapped = [], ""
    for one in elements(lists):
        value = f"{place}.{quoted(one.name)}"
        if one.kind.startswith("MAP"):
            mapped += f" || coalesce(list_transform(map_values({value}), lambda v: len(v)), [])"
        else:
            count = "len" if one.kind == "DOUBLE" else "list_count"
            plain.append(f"coalesce({count}({value}), 0)")
    return f"[{', '.join(plain)}]::bigint[]{mapped}"


def _element(one: Column, place: str) -> str:
    """One element after the other of a list, or of all lists of a map."""
    value = f"{place}.{quoted(one.name)}"
    if not one.kind.startswith("MAP"):
        return f"unnest({value})"
    keys, lists = f"map_keys({value})", f"map_values({value})"
    at = f"map({keys}, list_transform({lists}, lambda v: v[i]))"
    return f"unnest(list_transform(range(1, len({lists}[1]) + 1), lambda i: {at}))"
