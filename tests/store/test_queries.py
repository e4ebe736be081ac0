from __future__ import annotations

import csv
import errno
import json
import threading
from datetime import date
from pathlib import Path

import duckdb
import pytest

from studyspec.errors import NothingThere, QueryError, StoreError
from studyspec.store import answer_files, database
from studyspec.store.folder import Results
from studyspec.store.ingest import ingest
from studyspec.store.queries import Failed, StageCount, Table, overview, study_matrix, user_query
from studyspec.store.snapshot import Limits, snapshot
from tests.store.results_folders import dataset, variant, write_all_done, write_failed, write_study


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Results:
    results = Results(tmp_path_factory.mktemp("results"))
    write_all_done(results, write_study(results, [dataset("Au")], variant(["Au"])))
    ingest(results)
    return results


def test_an_answer_has_columns_types_and_rows(full: Results) -> None:
    answer = user_query(full, "select train, folds, dice_mean > 0 as found from matrix")
    assert answer == Table(
        ("train", "folds", "found"), ("VARCHAR", "INTEGER", "BOOLEAN"), answer.rows
    )
    assert answer.dicts() == [{"train": "Au", "folds": 2, "found": True}]


def test_no_results_are_said_to_be_missing(results: Results) -> None:
    with pytest.raises(NothingThere, match="no results here yet; `studyspec run` makes them"):
        user_query(results, "select 1")
    assert not results.folder.exists()


def test_the_matrix_of_a_study_is_that_of_its_profile(full: Results) -> None:
    [cell] = study_matrix(full, "small", None).dicts()
    assert (cell["profile"], cell["train"], cell["folds"]) == ("", "Au", 2)
    assert study_matrix(full, "small", "paper").rows == []


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("selec 1", 'syntax error at or near "selec"'),
        ("from scorse", r'scorse does not exist! Did you mean "scores"\?; there are attempts, '),
        ("select dise from scores", 'Referenced column "dise" not found'),
        ("select 'a'::integer", "Could not convert string 'a' to INT32"),
        ("select 1; select 2", "2 statements; ask one at a time"),
        ("", "an empty query; there are attempts, "),
        ("-- nothing", "an empty query"),
        ("select now()", "times with a zone; cast it"),
    ],
)
def test_a_wrong_query_is_explained_in_one_line(full: Results, sql: str, message: str) -> None:
    with pytest.raises(QueryError, match=message) as caught:
        user_query(full, sql)
    assert "\n" not in caught.value.text


@pytest.mark.parametrize(
    "sql",
    [
        "describe scores",
        "show tables",
        "summarize scores",
        "explain from scores",
        "with a as (select 1) from a",
        "pivot matrix on test using first(dice_mean) group by train",
    ],
)
def test_all_kinds_of_questions_are_answered(full: Results, sql: str) -> None:
    assert user_query(full, sql).rows


def test_a_snapshot_answers_from_one_state(results: Results) -> None:
    write_study(results, [dataset("Au")], variant(["Au"]))
    ingest(results)
    with snapshot(results) as store:
        before = store.query("from cells").rows
        write_study(results, [dataset("Ag")], variant(["Ag"]), name="other")
        assert ingest(results, patience_s=20) == 1
        assert store.query("from cells").rows == before
    assert len(user_query(results, "from cells").rows) == 2 * len(before)


@pytest.mark.parametrize(
    ("sql", "limits", "message"),
    [
        ("select sum(range % 7) from range(30_000_000_000)", Limits(seconds=0.5), "than 0.5 s; --"),
        (
            "select list(range order by hash(range)) from range(20_000_000)",
            Limits(memory_GB=0.1),
            "more memory than 0.1 GB; --memory-limit",
        ),
        ("from range(10_000_000_000)", Limits(rows=100_000), "more than 100,000 rows; ask for"),
    ],
)
def test_a_query_without_end_is_ended(
    full: Results, sql: str, limits: Limits, message: str
) -> None:
    with pytest.raises(QueryError, match=message):
        user_query(full, sql, limits)
    assert user_query(full, "from matrix", limits).rows


def test_without_room_for_a_copy_the_database_itself_is_read(
    full: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(_path: Path, _folder: Path) -> Path:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(database, "copy", full_disk)
    assert user_query(full, "from matrix").rows


def test_an_overview_counts_jobs_and_tells_of_failures(results: Results) -> None:
    job = write_study(results, [dataset("Au")], variant(["Au"])).stage("train")[0]
    write_failed(results, job)
    ingest(results)
    results.leases.mkdir(parents=True)
    results.lease("k").touch()
    found = overview(results)
    assert StageCount("train", 0, 1) in found.stages
    assert found.running == ("k",)
    log = results.folder / "run/logs/x.log"
    title = "small: train Au, fold 0"
    assert found.failed == (Failed("train", job.key, title, "it broke", log),)


FORBIDDEN = [
    "from '{file}'",
    "select * from read_text('{file}')",
    "select * from read_csv('{file}')",
    "select * from glob('{folder}/*')",
    "from parquet_metadata('{file}')",
    "from sniff_csv('{file}')",
    "select * from duckdb_secrets()",
    "select getenv('HOME')",
    "copy matrix to '{folder}/stolen.csv'",
    "copy (select 1) to '{folder}/stolen.csv'",
    "explain analyze copy matrix to '{folder}/stolen.csv'",
    "export database '{folder}/stolen'",
    "import database '{folder}'",
    "attach ':memory:' as other",
    "attach '{folder}/other.duckdb' as other",
    "attach '{database}' as again",
    "detach studyspec",
    "use memory",
    "set threads = 1",
    "set enable_external_access = true",
    "reset enable_external_access",
    "set lock_configuration = false",
    "pragma enable_profiling",
    "pragma profiling_output='{folder}/stolen.txt'",
    "install httpfs",
    "load httpfs",
    "call pragma_version()",
    "checkpoint",
    "vacuum",
    "drop table stored.attempt",
    "delete from stored.attempt",
    "update stored.attempt set key = 'x'",
    "insert into stored.plan_variant values ('x', 0, 'x')",
    "create table x as select 1",
    "create temp table x as select 1",
    "create view x as select 1",
    "alter table stored.attempt add column x integer",
    "prepare x as select 1",
    "begin",
    "create table pivoted as select 1; select 1",
    "select 1; copy matrix to '{folder}/stolen.csv'",
    "select 1) to '{folder}/stolen.csv'; select (1",
]


@pytest.mark.parametrize("sql", FORBIDDEN)
def test_a_query_can_neither_read_files_nor_write_nor_change_settings(
    full: Results, tmp_path: Path, sql: str
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    before = sorted(tmp_path.iterdir())
    asked = sql.format(file=secret, folder=tmp_path, database=full.database)
    with pytest.raises(QueryError):
        user_query(full, asked)
    assert sorted(tmp_path.iterdir()) == before


def test_a_query_can_reach_no_python_object(full: Results) -> None:
    asked = "select value from duckdb_settings() where name = 'python_enable_replacements'"
    assert user_query(full, asked).rows == [("false",)]


def test_questions_of_threads_do_not_disturb_each_other(full: Results) -> None:
    answers: list[Table] = []

    def ask() -> None:
        answers.extend(user_query(full, "from matrix") for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        ingest(full)
    for thread in threads:
        thread.join()
    assert len(answers) == 15
    assert all(answer == answers[0] for answer in answers)


MIXED = Table(
    ("name", 'odd "one"', "value", "on", "list"),
    ("VARCHAR", "INTEGER", "DOUBLE", "DATE", "VARCHAR[]"),
    [("a, b", 1, 0.5, date(2020, 1, 2), ["x", "y"]), (None, None, None, None, None)],
)


def test_csv_holds_the_rows(tmp_path: Path) -> None:
    answer_files.write_csv(MIXED, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == list(MIXED.columns)
    assert rows[1][:4] == ["a, b", "1", "0.5", "2020-01-02"]
    assert rows[2] == ["", "", "", "", ""]


def test_json_holds_the_rows(tmp_path: Path) -> None:
    answer_files.write_json(MIXED, tmp_path / "a.json")
    first = json.loads((tmp_path / "a.json").read_text())[0]
    assert list(first.values()) == ["a, b", 1, 0.5, "2020-01-02", ["x", "y"]]


@pytest.mark.parametrize("copies", [0, 1, 50])
def test_parquet_holds_the_rows_and_types(
    tmp_path: Path, copies: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_files, "PART", 30)
    path = tmp_path / "it's.parquet"
    answer_files.write_parquet(Table(MIXED.columns, MIXED.types, MIXED.rows * copies), path)
    found = duckdb.connect().read_parquet(str(path))
    assert tuple(found.columns) == MIXED.columns
    assert tuple(map(str, found.types)) == MIXED.types
    assert found.fetchall() == MIXED.rows * copies


def test_what_the_views_give_can_be_exported(full: Results, tmp_path: Path) -> None:
    for view in ("attempts", "scores", "image_scores", "datasets", "networks"):
        answer = user_query(full, f"from {view}")
        answer_files.write_parquet(answer, tmp_path / "a.parquet")
        assert duckdb.connect().read_parquet(str(tmp_path / "a.parquet")).fetchall() == answer.rows
        answer_files.write_json(answer, tmp_path / "a.json")


@pytest.mark.parametrize(
    "write", [answer_files.write_csv, answer_files.write_json, answer_files.write_parquet]
)
def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, write: object) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"file.*a\.out: cannot be written"):
        write(MIXED, tmp_path / "file" / "a.out")  # type: ignore[operator]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_is_there_stays_until_an_export_is_whole(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("before")
    odd = Table(("a",), ("INTEGER",), [("no number",)])
    with pytest.raises(duckdb.Error):
        answer_files.write_parquet(odd, tmp_path / "a.parquet")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    answer_files.write_csv(MIXED, tmp_path / "link")
    assert (tmp_path / "target").read_text().startswith("name,")
    assert (tmp_path / "link").is_symlink()
