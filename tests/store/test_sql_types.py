from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import duckdb
import pytest
from pydantic import BaseModel, JsonValue

from studyspec.store.sql_types import Column, columns, elements, kind, lists_model, rows_model
from studyspec.store.stage_tables import json_type


class Epoch(BaseModel):
    number: int
    loss: float | None = None


class Counts(BaseModel):
    hits: tuple[int, ...] = ()
    sums: dict[str, tuple[float, ...]] = {}


class Outcome(BaseModel):
    name: str
    good: bool = True
    part: Literal["test", "train"] = "test"
    low: float = 0.5
    notes: tuple[str, ...] = ()
    one: Epoch | None = None
    epochs: tuple[Epoch, ...] = ()
    counts: Counts = Counts()


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int, "BIGINT"),
        (float | None, "DOUBLE"),
        (Annotated[str, "a name"], "VARCHAR"),
        (Literal["a", "b"], "VARCHAR"),
        (datetime, "TIMESTAMP"),
        (tuple[bool, ...], "BOOLEAN[]"),
        (dict[str, tuple[float, ...]], "MAP(VARCHAR, DOUBLE[])"),
        (Epoch, 'STRUCT("number" BIGINT, "loss" DOUBLE)'),
        (str | int | None, "JSON"),
        (dict[str, JsonValue], "MAP(VARCHAR, JSON)"),
    ],
)
def test_types_have_a_column_type(annotation: object, expected: str) -> None:
    assert kind(annotation) == expected


def test_fields_are_columns_but_for_rows_and_lists() -> None:
    assert [column.name for column in columns(Outcome)] == [
        "name", "good", "part", "low", "notes", "one",
    ]  # fmt: skip
    fields = Outcome.model_fields
    assert rows_model(fields["epochs"]) is Epoch
    assert lists_model(fields["counts"]) is Counts
    assert rows_model(fields["notes"]) is lists_model(fields["one"]) is None


def test_lists_that_belong_together_give_an_element_each() -> None:
    assert elements(Counts) == (
        Column("hits", "BIGINT"),
        Column("sums", "MAP(VARCHAR, DOUBLE)"),
    )


def test_what_is_left_out_comes_back_as_its_default() -> None:
    read = ", ".join(column.read("o") for column in columns(Outcome))
    outcome = f"""from_json('{{"name": "x"}}', {json_type(kind(Outcome))})"""
    assert duckdb.sql(f"select {read} from (select {outcome} as o)").fetchall() == [
        ("x", True, "test", 0.5, [], None)
    ]
