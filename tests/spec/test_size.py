from __future__ import annotations

from pathlib import Path

import pytest

from studyspec.errors import SpecError
from studyspec.spec.loading import load
from studyspec.spec.size import MOST_JOBS
from tests.cli.projects import STUDY

SWEEP = """
[variants.many.sweep]
"training.learning_rate" = [{}]
"training.batch_size" = [{}]
"""


def written(folder: Path, points: int) -> Path:
    rates, sizes = (", ".join(map(str, range(1, points + 1))),) * 2
    (folder / "study.toml").write_text(STUDY + SWEEP.format(rates, sizes))
    return folder / "study.toml"


def test_a_study_of_too_many_jobs_is_refused_where_its_sweep_stands(tmp_path: Path) -> None:
    path = written(tmp_path, 3163)
    with pytest.raises(SpecError, match=r"about 120,054,\d+ jobs, more than 1,000,000.*--max-jobs"):
        load(path, max_jobs=MOST_JOBS)
    [problem] = _problems(path)
    assert "sweep" in problem


def test_the_number_is_that_of_networks_and_tests(tmp_path: Path) -> None:
    path = written(tmp_path, 2)
    with pytest.raises(SpecError, match="about 60 jobs, more than 59"):
        load(path, max_jobs=59)
    assert load(path, max_jobs=60)


def _problems(path: Path) -> list[str]:
    try:
        load(path, max_jobs=MOST_JOBS)
    except SpecError as error:
        return [problem.source for problem in error.problems]
    return []
