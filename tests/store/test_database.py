from __future__ import annotations

import os
import shutil
import signal
import threading
from dataclasses import replace

import duckdb
import pytest

from studyspec.errors import NothingThere, StoreError
from studyspec.store import migrations, stage_tables
from studyspec.store.cleaning import clean
from studyspec.store.connection import Connection
from studyspec.store.database import open_database
from studyspec.store.folder import Results
from studyspec.store.ingest import ingest, rebuild
from studyspec.store.migrations import is_current, migrate
from studyspec.store.queries import user_query
from studyspec.store.sql_types import Column
from tests.store.dumps import dump
from tests.store.results_folders import dataset, variant, write_all_done, write_study


def add_colour(connection: Connection) -> None:
    connection.execute("alter table stored.plan_variant add column colour varchar default 'red'")


def fail(connection: Connection) -> None:
    connection.execute("drop table stored.plan_variant")
    raise RuntimeError("half way")


def test_reading_what_is_not_there_makes_nothing(results: Results) -> None:
    with pytest.raises(NothingThere), open_database(results, read_only=True):
        pass
    assert not results.folder.exists()


def test_a_migration_changes_an_older_database_and_keeps_its_rows(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_study(results, [dataset("Au")], variant(["Au"]))
    ingest(results)
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, add_colour))
    with open_database(results, read_only=True) as connection:
        found = connection.execute("select variant, colour from stored.plan_variant").fetchall()
        steps = connection.execute("from stored.migration order by position").fetchall()
    assert found == [("base", "red")]
    assert steps == [(0, "plan_tables"), (1, "plan_numbers"), (2, "add_colour")]


def test_a_migration_that_fails_changes_nothing(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_database(results):
        pass
    with monkeypatch.context() as later:
        later.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, fail))
        with pytest.raises(RuntimeError), open_database(results) as connection:
            migrate(connection, results.folder)
    with open_database(results, read_only=True) as connection:
        assert is_current(connection, results.folder)
        assert connection.execute("from stored.plan_variant").fetchall() == []


def test_a_database_of_a_later_version_is_left_alone(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as later:
        later.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, add_colour))
        with open_database(results):
            pass
    for read_only in (True, False):
        later_one = pytest.raises(StoreError, match="made by a later version of studyspec")
        with later_one, open_database(results, read_only=read_only):
            pass


def test_changed_views_are_made_anew(results: Results) -> None:
    with open_database(results) as connection:
        connection.execute("drop view scores")
        connection.execute("update stored.form set digest = 'another' where part = 'views'")
    with open_database(results, read_only=True) as connection:
        assert connection.execute("from scores").fetchall() == []


def test_a_database_of_an_earlier_version_says_to_move_the_folder(results: Results) -> None:
    results.folder.mkdir()
    with duckdb.connect(str(results.database)) as connection:
        connection.execute("create schema stored")
        connection.execute("create table stored.migration as select 0 as position, 'old' as name")
    told = pytest.raises(StoreError, match=r"earlier version of studyspec; move the folder .* away")
    with told, open_database(results, read_only=True):
        pass


def test_a_new_field_of_a_stage_is_a_column_of_its_table(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_all_done(results, write_study(results, [dataset("Au")], variant(["Au"])))
    ingest(results)
    [table] = (one for one in stage_tables.all_stage_tables() if one.name == "train")
    grown = replace(table, columns=(*table.columns, Column("ema", "DOUBLE", "0.5")))
    monkeypatch.setattr(migrations, "all_stage_tables", lambda: [grown])
    assert user_query(results, "select distinct ema from networks").rows == [(0.5,)]


def test_what_is_no_database_is_told_with_a_way_out(results: Results) -> None:
    results.folder.mkdir()
    results.database.write_text("not a database at all, but long enough to look at" * 100)
    told = pytest.raises(StoreError, match="delete it: `studyspec ingest` makes it anew")
    with told, open_database(results):
        pass


def test_a_rebuild_that_fails_leaves_the_database_as_it_was(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_study(results, [dataset("Au")], variant(["Au"]))
    ingest(results)
    before = dump(results)
    with monkeypatch.context() as broken:
        broken.setattr("studyspec.store.ingest.insert_plans", fail)
        with pytest.raises(RuntimeError):
            rebuild(results)
    assert dump(results) == before
    assert rebuild(results) == 1


def test_a_log_of_the_old_file_never_meets_the_new_one(results: Results) -> None:
    write_study(results, [dataset("Au")], variant(["Au"]))
    ingest(results)
    log = results.database.with_name("studyspec.duckdb.wal")
    log.write_text("left by a killed process")
    rebuild(results)
    assert not log.exists()
    with duckdb.connect(str(results.database), read_only=True) as connection:
        assert connection.execute("select count(*) from cells").fetchone() == (2,)


def test_cleaning_deletes_what_can_be_made_again(results: Results) -> None:
    write_all_done(results, write_study(results, [dataset("Au")], variant(["Au"])))
    results.patches("key").mkdir(parents=True)
    (results.patches("key") / "images.npy").write_bytes(bytes(100))
    results.networks.mkdir(parents=True)
    results.network("sha").write_bytes(bytes(10))
    results.predictions.mkdir(parents=True)
    results.prediction("key").write_bytes(bytes(7))
    records = sorted(results.records.iterdir())
    assert clean(results) == 100
    assert results.network("sha").exists()
    assert clean(results, networks=True) == 10
    assert results.prediction("key").exists()
    assert sorted(results.records.iterdir()) == records
    shutil.rmtree(results.artifacts)
    assert clean(results) == 0


@pytest.mark.usefixtures("ctrl_c")
def test_an_interrupt_is_one_while_duckdb_works_too(results: Results) -> None:
    write_all_done(results, write_study(results, [dataset("Au")], variant(["Au"])))
    ingest(results)
    stop = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    stop.start()
    with pytest.raises(KeyboardInterrupt):
        user_query(results, "select sum(range % 7) from range(30_000_000_000)")
    stop.join()
