"""Engines as `studyspec.toml` sets them up, and workers that nobody looks after."""

from __future__ import annotations

from pathlib import Path

import pytest

from studyspec import api
from studyspec.api.engines import equipped
from studyspec.errors import SpecError
from studyspec.run import runners
from studyspec.run.queue import publish, published, ticket_of
from studyspec.run.slurm.settings import SlurmSettings
from studyspec.store.folder import Results
from tests.cli.projects import make_project, studyspec
from tests.run import workloads


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "config/studyspec").mkdir(parents=True)
    return make_project(tmp_path / "project", "A", images=1)


def test_the_file_beside_the_catalog_wins_over_the_users(study: Path, tmp_path: Path) -> None:
    user = tmp_path / "config/studyspec/studyspec.toml"
    user.write_text('[engines.slurm]\npartition = "theirs"\naccount = "me"\n')
    (study.parent / "studyspec.toml").write_text('[engines.slurm]\npartition = "ours"\n')
    found = equipped(api.Options("slurm", max_running=3), [(study, None)]).settings
    assert isinstance(found, SlurmSettings)
    assert (found.partition, found.account) == ("ours", "me")


def test_a_mistake_in_it_is_told_before_anything_runs(study: Path) -> None:
    (study.parent / "studyspec.toml").write_text('[engines.slurm]\npartitoin = "ours"\n')
    with pytest.raises(SpecError, match=r"studyspec.toml:2:1: unknown key 'partitoin'"):
        api.run(study, options=api.Options("slurm"))


def test_cancel_takes_back_what_was_left(tmp_path: Path) -> None:
    results = Results(tmp_path / "results")
    jobs = workloads.study(tmp_path / "data", "A")
    publish(results, ((job, ticket_of(job, number)) for number, job in enumerate(jobs)))
    runners.leave(results, [job.key for job in jobs])
    with runners.present(results):
        assert published(results) == {job.key for job in jobs}
        refused = studyspec(tmp_path, "cancel", "--results", "results", expect=2)
        assert "a run goes on here" in refused.stderr
    done = studyspec(tmp_path, "cancel", "--results", "results")
    assert done.stderr == "6 jobs taken back, 0 workers stopped\n"
    assert not published(results)
