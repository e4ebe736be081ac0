"""Each rule says the same in SQL and in Python."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studyspec.jobs.stages import Job
from studyspec.store.connection import connected
from studyspec.store.folder import Results
from studyspec.store.ingest import ingest
from studyspec.store.planned import write_plan
from studyspec.store.queries import user_query
from studyspec.store.record_file import Json, PlanName, PlanSequence, new_plan_record, write_record
from studyspec.store.records import RecordIndex
from studyspec.store.rules import of_own_set, own_variant
from tests.store.results_folders import (
    at,
    dataset,
    evaluate,
    evaluated,
    random_scores,
    train,
    trained,
    write_done,
)

NAMES = ("base", "v", "w")
SETS = ("A", "B")


class Made(NamedTuple):
    """A record of the training, or of one of two tests: which weights, and when [s]."""

    test: int | None
    weights: str
    second: int


MADE = st.builds(Made, st.sampled_from([None, 0, 1]), st.sampled_from("xyz"), st.integers(0, 2))


@settings(max_examples=12, deadline=None)
@given(batches=st.lists(st.lists(MADE, min_size=1, max_size=4), min_size=1, max_size=3))
def test_the_chosen_record_of_a_job(
    batches: list[list[Made]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    results = Results(tmp_path_factory.mktemp("results"))
    training = train([dataset("A")])
    tests = [evaluate(training.key, [dataset(name)]) for name in SETS]
    index = RecordIndex(results)
    for batch in batches:
        for made in batch:
            write_made(results, made, training, tests)
        ingest(results)
        rows = user_query(results, "select key, record from attempts where chosen").dicts()
        statuses = index.statuses()
        chosen = {key: one.path.name for key, one in statuses.items() if one.path}
        assert {row["key"]: row["record"] for row in rows} == chosen
        assert all(one.path for one in statuses.values())


def write_made(results: Results, made: Made, training: Job, tests: list[Job]) -> None:
    """Record a training or a test as done."""
    if made.test is None:
        write_done(results, training, trained(made.weights), made.second)
        return
    scores = random_scores(random.Random(0), images=2, patches=1, forms=1)
    result = evaluated(["a", "b"], scores, made.weights)
    write_done(results, tests[made.test], result, made.second)


@settings(max_examples=50, deadline=None)
@given(folds=st.dictionaries(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(SETS), st.sampled_from(SETS)),
    st.tuples(st.integers(0, 2), st.integers(1, 2)).filter(lambda one: one[0] <= one[1]),
))  # fmt: skip
def test_the_own_set_of_a_cell(
    folds: dict[tuple[str, str, str], tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    value = {name: float(number) for number, name in enumerate(product(NAMES, SETS, SETS))}
    expected = {}
    for variant, cell_train, test in folds:
        own = own_variant(folds, variant, test)
        done, planned = folds[(own, test, test)] if own else (0, 1)
        told = value[(own, test, test)] if own and done == planned else None
        expected[(variant, cell_train, test)] = told
    with connected(tmp_path_factory.mktemp("own") / "own.duckdb") as connection:
        connection.execute(
            "create table cell (study varchar, profile varchar, variant varchar, train varchar, "
            "test varchar, folds integer, planned integer, value double)"
        )
        for (variant, cell_train, test), (done, planned) in folds.items():
            connection.execute(
                "insert into cell values ('s', '', ?, ?, ?, ?, ?, ?)",
                [variant, cell_train, test, done, planned, value[(variant, cell_train, test)]],
            )
        asked = f"select variant, train, test, {of_own_set('value')} from cell"
        found = {(v, a, b): own for v, a, b, own in connection.execute(asked).fetchall()}
    assert found == expected


@settings(max_examples=8, deadline=None)
@given(plans=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=4))
def test_the_newest_plan(
    plans: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    results = Results(tmp_path_factory.mktemp("results"))
    for one, (number, second) in enumerate(plans):
        told: Json = {"study": "s", "cells": [], "variants": {}, "datasets": {}, "images": {}}
        plan = at(new_plan_record(f"k{one}", PlanName(study="s"), told), second)
        sequence = PlanSequence(number=number)
        head = plan.head.model_copy(update={"sequence": sequence})
        write_record(results, replace(plan, head=head))
    ingest(results)
    [(record,)] = user_query(results, "select record from stored.newest_plan").rows
    newest = RecordIndex(results).newest_plan("s", None)
    assert newest is not None
    assert newest.name == record
    write_plan(results, {"study": "other"})
    assert RecordIndex(results).newest_plan("s", None) == newest
