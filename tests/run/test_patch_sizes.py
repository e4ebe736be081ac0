"""Tests on patches of another edge than those of training, one job after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studyspec.jobs.evaluate import Evaluated
from studyspec.plan.expansion import expand_jobs
from studyspec.plan.preparation import Files
from studyspec.spec.layers import merged
from studyspec.spec.sections import StageSettings
from studyspec.spec.variants import Variant
from studyspec.store.folder import Results
from tests.run import workloads
from tests.run.test_bench import do, places

Place = tuple[int, int, int]


def own_tests(folder: Path, unit: str, **training: Any) -> list[set[Place]]:
    """Places of patches of 32 px that each fold is tested on, after training on those of 16."""
    changes = {
        "evaluation": {"patch_size": 32},
        "cross_validation": {"unit": unit},
        "training": {"epochs": 1, **training},
    }
    tables = merged(workloads.settings().model_dump(mode="json"), changes)
    settings = StageSettings.model_validate(tables, strict=False)
    datasets = {"A": workloads.dataset(folder, "A", 4)}
    files = Files(str(folder / "catalog.parquet"), str(folder / "cache"))
    jobs = expand_jobs([Variant("base", settings, (("A", "A"),))], datasets, files).jobs
    found = do(jobs, Results(folder / "results"))
    assert len([job for job in jobs if job.stage == "prepare"]) == 8
    results = [found[job.key] for job in jobs if job.stage == "evaluate"]
    return [set(places(one)) for one in results if isinstance(one, Evaluated)]


@pytest.mark.parametrize("unit", ["image", "patch"])
def test_larger_patches_are_tested_once_and_hold_nothing_of_training(
    tmp_path: Path, unit: str
) -> None:
    first, second = own_tests(tmp_path, unit)
    every = {(image, row, col) for image in range(4) for row in range(2) for col in range(2)}
    assert first.isdisjoint(second)
    assert first | second == every  # folds of 32 patches end with an image


def test_training_on_crops_leaves_the_tests_as_they_are(tmp_path: Path) -> None:
    first, second = own_tests(tmp_path, "patch", crops="random")
    assert len(first | second) == 16
