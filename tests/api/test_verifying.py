"""What is recorded is computed once more; a record that differs is told, and set aside if asked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from studyspec import api
from studyspec.errors import RunError
from studyspec.machine import THIS
from studyspec.run import leases
from studyspec.run.process import Process
from studyspec.store.folder import Results
from tests.cli.projects import STUDY, make_project, studyspec

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study of a project whose networks are trained and tested on A."""
    study = make_project(tmp_path_factory.mktemp("project") / "p", "A")
    text = STUDY.replace('["A", "B"]', '["A"]').replace('[datasets.B]\nkind = "B"\n', "")
    study.write_text(text)
    api.run(study, options=api.Options(engine="inline"))
    return study


@pytest.fixture
def study(finished: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(finished.parent, tmp_path / "p")
    return tmp_path / "p" / finished.name


def forged(results: Path) -> str:
    """A better test, dated before the real one; the name of its file."""
    records = {p: json.loads(p.read_text()) for p in sorted((results / "records").iterdir())}
    path, record = next((p, r) for p, r in records.items() if r["stage"] == "evaluate")
    scores = record["result"]["scores"]
    for right, wrong in (("tp", "fn"), ("tn", "fp")):
        scores[right] = [a + b for a, b in zip(scores[right], scores[wrong], strict=True)]
        scores[wrong] = [0] * len(scores[wrong])
    record["uuid"] = "0" * 32
    for time in ("started_at", "finished_at"):
        record[time] = record[time].replace(record[time][:4], "2025", 1)
    forgery = path.with_name(f"{record['key']}.{record['uuid']}.json")
    forgery.write_text(json.dumps(record))
    return forgery.name


def scores(study: Path) -> list[tuple[object, ...]]:
    asked = "select fold, dice from scores order by all"
    return list(api.sql(asked, study.parent / "results").rows)


def test_what_was_computed_here_is_found_again_to_the_last_bit(study: Path) -> None:
    records = sorted((study.parent / "results" / "records").iterdir())
    found = api.verify(study, api.Sample(size=9, trainings=True))
    assert [one.verdict for one in found] == ["same"] * 4
    assert sorted(one.value for one in found) == ["dice", "dice", "loss", "loss"]
    assert sorted((study.parent / "results" / "records").iterdir()) == records
    assert not list((study.parent / "results" / "artifacts" / "checkpoints").glob("*"))


def test_a_forged_record_is_told_and_set_aside(study: Path) -> None:
    before = scores(study)
    name = forged(study.parent / "results")
    api.ingest(study.parent / "results")
    assert scores(study) != before
    told = studyspec(study.parent, "verify", str(study), "--sample", "1", expect=1)
    assert "differs  test A on A, fold 0: dice 1.000000 recorded, 0." in told.stdout
    assert name in told.stdout
    assert "1 of 2 records hold" in told.stderr
    found = api.verify(study, api.Sample(size=1), settle=True)
    assert sorted(one.verdict for one in found) == ["differs", "same"]
    assert scores(study) == before
    assert (study.parent / "results" / "rejected" / name).exists()
    assert [one.verdict for one in api.verify(study, api.Sample(size=1))] == ["same"]


def test_nothing_is_cleaned_or_set_aside_while_a_worker_is_at_a_job(study: Path) -> None:
    results = Results(study.parent / "results")
    forged(results.folder)
    lease = leases.take(results, "job", Process.current(THIS), "cpu")
    assert lease is not None
    for act in (
        lambda: api.clean(results.folder),
        lambda: api.verify(study, api.Sample(size=1), settle=True),
    ):
        with pytest.raises(RunError, match="workers are at 1 jobs here, though no run goes on"):
            act()
    leases.release(results, lease)
    assert api.clean(results.folder) > 0


def test_what_is_not_known_cannot_be_compared(tmp_path: Path) -> None:
    study = make_project(tmp_path / "p", "A")
    study.write_text(STUDY.replace('["A", "B"]', '["A"]').replace('[datasets.B]\nkind = "B"\n', ""))
    assert api.verify(study) == ()
