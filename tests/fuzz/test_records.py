"""Whatever a record says: it is taken in or passed over, and the others are there."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studyspec.api.standing import overview
from studyspec.spec.identity import digest
from studyspec.store.folder import Results
from studyspec.store.ingest import ingest
from studyspec.store.planned import previous_plan
from studyspec.store.queries import user_query
from studyspec.store.records import RecordIndex
from tests.fuzz.mutations import DEEP, altered, damaged, fuzz
from tests.store import results_folders


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Iterator[None]:
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    made = Results(tmp_path_factory.mktemp("records"))
    datasets = [results_folders.dataset("A"), results_folders.dataset("B")]
    pairs = results_folders.variant(("A", "B"))
    study = results_folders.write_study(made, datasets, pairs, name="s")
    results_folders.write_all_done(made, study)
    ingest(made)
    return made


@pytest.fixture(scope="module")
def texts(results: Results) -> list[str]:
    """One record of each stage, and a plan."""
    by_stage: dict[str, str] = {}
    for path in sorted(results.records.iterdir()):
        text = path.read_text()
        by_stage.setdefault(json.loads(text)["stage"], text)
    return list(by_stage.values())


def taken_in(results: Results, name: str, text: bytes) -> None:
    """Put a record there, ask everything, and take it away again."""
    before = user_query(results, "select count(*) from attempts").rows
    path = results.records / f"{name}.json"
    path.write_bytes(text)
    try:
        ingest(results)
        index = RecordIndex(results)
        index.statuses()
        previous_plan(results, "s", None, index)
        overview(results.folder)
        user_query(results, "from matrix")
        user_query(results, "from scores")
        assert user_query(results, "select count(*) from attempts").rows >= before
    finally:
        path.unlink()


@fuzz(25)
@given(st.data())
def test_odd_values(results: Results, texts: list[str], data: st.DataObject) -> None:
    record: Any = data.draw(altered(json.loads(data.draw(st.sampled_from(texts)))))
    record["uuid"] = uuid4().hex
    if isinstance(record.get("ingredients"), dict):
        try:
            record["key"] = digest(record["ingredients"])
        except ValueError:
            record["key"] = "0" * 64
    key = record.get("key")
    name = key if isinstance(key, str) and key.isalnum() and len(key) < 100 else "0" * 64
    taken_in(results, f"{name}.{record['uuid']}", json.dumps(record).encode("utf-8", "replace"))


@fuzz(15)
@given(st.data())
def test_damaged_files(results: Results, texts: list[str], data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(texts)).encode()
    taken_in(results, f"{'2' * 64}.{uuid4().hex}", data.draw(damaged(text)))


NULL_PLAN = (
    '{"schema":2,"key":"K","uuid":"U","stage":"plan","status":"done",'
    '"started_at":"2025-01-01T00:00:00Z","finished_at":"2025-01-01T00:00:00Z",'
    '"plan":{"study":"s"},"sequence":{"number":99},\n"result":R\n}\n'
)


@pytest.mark.parametrize(
    "text",
    [
        "[" * DEEP,
        '{"schema":2,"x":' + "[" * DEEP + "]" * DEEP + "}",
        *(NULL_PLAN.replace("R", result) for result in ("null", "{}", "[]", '"x"')),
        NULL_PLAN.replace('{"study":"s"}', '{"study":["s"]}').replace("R", "{}"),
        NULL_PLAN.replace('"key":"K"', '"key":["K"]').replace("R", "{}"),
    ],
)
def test_records_that_stopped_everything(results: Results, text: str) -> None:
    key, uuid = "3" * 64, uuid4().hex
    text = text.replace('"K"', f'"{key}"').replace('"U"', f'"{uuid}"')
    taken_in(results, f"{key}.{uuid}", text.encode("utf-8", "replace"))
