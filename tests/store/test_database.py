from __future__ import annotations

import shutil

import duckdb
import pytest

from studyspec.errors import NothingThere, StoreError
from studyspec.store import database
from studyspec.store.cleaning import clean
from studyspec.store.database import Connection, is_current, migrate, open_database
from studyspec.store.ingest import ingest, rebuild
from studyspec.store.layout import Results
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
    monkeypatch.setattr(database, "MIGRATIONS", (*database.MIGRATIONS, add_colour))
    with open_database(results, read_only=True) as connection:
        found = connection.execute("select variant, colour from stored.plan_variant").fetchall()
        steps = connection.execute("from stored.migration order by position").fetchall()
    assert found == [("base", "red")]
    assert steps == [(0, "first_tables"), (1, "measurements"), (2, "add_colour")]


def test_a_migration_that_fails_changes_nothing(results: Results) -> None:
    steps = database.MIGRATIONS
    with open_database(results):
        pass
    with pytest.raises(RuntimeError), open_database(results) as connection:
        migrate(connection, (*steps, fail))
    with open_database(results, read_only=True) as connection:
        assert is_current(connection, steps)
        assert connection.execute("from stored.plan_variant").fetchall() == []


def test_a_database_of_a_later_version_is_left_alone(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as later:
        later.setattr(database, "MIGRATIONS", (*database.MIGRATIONS, add_colour))
        with open_database(results):
            pass
    for read_only in (True, False):
        later_one = pytest.raises(StoreError, match="made by a later version of studyspec")
        with later_one, open_database(results, read_only=read_only):
            pass


def test_changed_views_are_made_anew(results: Results) -> None:
    with open_database(results) as connection:
        connection.execute("drop view scores")
        connection.execute("update stored.views set digest = 'of an earlier version'")
    with open_database(results, read_only=True) as connection:
        assert connection.execute("from scores").fetchall() == []


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
