from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from studyspec.jobs.stages import Job
from studyspec.plan.changes import Changes
from studyspec.plan.states import Known, PlannedJob, judge
from studyspec.spec.sections import StageSettings
from tests.plan.studies import dataset, expansion, record, variant

PAIRS = (("A", "A"), ("A", "B"))
DATASETS = {"A": dataset("A"), "B": dataset("B")}
JOBS = expansion(DATASETS, variant(PAIRS)).jobs


def never(job: Job) -> str:
    return ""


def states(known: dict[str, Known], present: Callable[[Job], bool] = lambda _: True) -> list[str]:
    return [p.state for p in judge(JOBS, known, present, never)]


def keys(stage: str) -> list[str]:
    return [job.key for job in JOBS if job.stage == stage]


def done(*stages: str) -> dict[str, Known]:
    return {job.key: Known(True) for job in JOBS if job.stage in stages}


def test_nothing_known_is_all_new() -> None:
    assert set(states({})) == {"new"}


def test_all_known_asks_for_nothing_even_if_artifacts_are_gone() -> None:
    assert set(states(done("prepare", "train", "evaluate"), lambda _: False)) == {"known"}


def test_missing_weights_are_rebuilt_only_for_the_tests_to_come() -> None:
    known = done("prepare", "train", "evaluate")
    del known[keys("evaluate")[0]]
    found = judge(JOBS, known, lambda job: job.stage != "train", never)
    rebuilt = [p.job for p in found if p.state == "rebuild"]
    assert [job.key for job in rebuilt] == [keys("train")[0]]
    assert next(p.reason for p in found if p.state == "rebuild") == "weights missing"


def test_a_failure_is_told() -> None:
    found = judge(JOBS, {keys("train")[0]: Known(False, "out of memory")}, lambda _: True, never)
    assert [p.reason for p in found if p.state == "failed"] == ["out of memory"]


def test_unfetched_images_hold_up_all_that_needs_them() -> None:
    a = dataset("A")
    missing = replace(a, images=(replace(a.images[0], image_sha256=None), *a.images[1:]))
    jobs = expansion({"A": missing, "B": DATASETS["B"]}, variant((*PAIRS, ("B", "B")))).jobs
    found = {p.job.title: p.state for p in judge(jobs, {}, lambda _: True, never)}
    assert found["train A, fold 0"] == "unfetched"
    assert found["test A on B, fold 0"] == "unfetched"
    assert found["train B, fold 0"] == "new"


def stale(after: dict[str, object], settings: StageSettings | None = None) -> list[PlannedJob]:
    """What the plan says after a change, all of the first plan being known."""
    data = {"A": DATASETS["A"], "B": DATASETS["B"], **after}
    changed = variant(PAIRS, settings=settings)
    now = expansion(data, changed)  # type: ignore[arg-type]
    changes = Changes(record(data, changed), record(DATASETS, variant(PAIRS)))  # type: ignore[arg-type]
    return list(
        judge(now.jobs, done("prepare", "train", "evaluate"), lambda _: True, changes.reason)
    )


def test_a_changed_image_makes_its_descendants_stale_and_no_other() -> None:
    found = stale({"B": dataset("B", image_3=1)})
    by_state = {(p.job.stage, p.state) for p in found}
    assert ("train", "stale") not in by_state
    assert [p.reason for p in found if p.job.stage == "prepare" and p.state == "stale"] == [
        "image B/3 changed"
    ]
    tests = [p for p in found if p.job.stage == "evaluate" and p.state == "stale"]
    assert len(tests) == 5
    assert {p.reason for p in tests} == {"image B/3 changed"}


def test_a_changed_training_image_is_the_reason_of_the_trainings() -> None:
    found = stale({"A": dataset("A", image_0=1)})
    assert {p.reason for p in found if p.job.stage == "train"} == {"image A/0 changed"}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"training": {"epochs": 3}}, "training.epochs changed from 250 to 3"),
        (
            {"preprocess": {"patch": {"size": 64}}},
            "preprocess.patch.size changed from 512 to 64",
        ),
        (
            {"preprocess": {"xray": {"enabled": False}}},
            "preprocess.xray.enabled changed from True to False",
        ),
        ({"augment": {"noise": {"rho": 0.5}}}, "augment.noise added"),
        ({"model": {"first_filters": 8}}, "model.first_filters changed from its default to 8"),
    ],
)
def test_a_changed_setting_is_named(settings: dict[str, object], reason: str) -> None:
    found = stale({}, StageSettings.model_validate(settings))
    assert {p.reason for p in found if p.job.stage == "train"} == {reason}


def test_another_edge_of_tested_patches_trains_nothing_anew() -> None:
    found = stale({}, StageSettings.model_validate({"evaluation": {"patch_size": 1024}}))
    assert {p.state for p in found if p.job.stage == "train"} == {"known"}
    reasons = {p.reason for p in found if p.job.stage == "evaluate"}
    assert reasons == {"evaluation.patch_size changed from 512 to 1024"}


def test_an_added_image_is_named() -> None:
    found = stale({"A": dataset("A", 7)})
    assert {p.reason for p in found if p.job.stage == "train"} == {"image A/6 added"}
