"""`studyspec.toml`: what is read, what is refused with its place, and which file wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from studyspec.errors import SpecError
from studyspec.run.slurm.settings import SlurmSettings
from studyspec.spec.site import engine_settings

ENGINES = ("inline", "local", "slurm")


def read(*files: Path) -> SlurmSettings:
    return engine_settings("slurm", SlurmSettings, files, ENGINES)


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_without_a_file_all_is_at_its_default(tmp_path: Path) -> None:
    assert read(tmp_path / "studyspec.toml") == SlurmSettings()


def test_the_later_file_wins_key_by_key(tmp_path: Path) -> None:
    user = write(tmp_path / "user.toml", '[engines.slurm]\npartition = "a"\naccount = "me"\n')
    project = write(tmp_path / "studyspec.toml", '[engines.slurm]\npartition = "b"\n')
    found = read(user, project)
    assert (found.partition, found.account) == ("b", "me")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[engines.slurm]\npartitoin = "a"', "2:1: unknown key 'partitoin'; did you mean 'partit"),
        ('[engines.slurm]\ntime = "soon"', '2:8: no time limit: "soon"; write "90"'),
        ("[engines.slurm]\ncpus = 0", "2:8: "),
        ("[engines.slrum]\n", "1:10: no engine 'slrum'; did you mean 'slurm'?"),
        ("[engine.slurm]\n", "1:2: unknown key 'engine'; did you mean 'engines'?"),
        ("engines = 3\n", "1:11: expected a table, got 3"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    file = write(tmp_path / "studyspec.toml", text)
    with pytest.raises(SpecError) as raised:
        read(file)
    assert f"{file}:{told}" in raised.value.text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 5400), ("1:30", 90), ("2:00:00", 7200), ("1-12", 129600), ("1-0:30", 88200)],
)
def test_times_are_read_as_sbatch_does(text: str, seconds: int) -> None:
    assert SlurmSettings(time=text).seconds == seconds
