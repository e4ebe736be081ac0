from __future__ import annotations

from dataclasses import replace

import pytest

from studyspec.jobs.evaluate import Evaluate, EvaluateInputs
from studyspec.jobs.stages import Job
from studyspec.jobs.train import Train
from studyspec.learn.networks import NetworkFile
from studyspec.plan.changes import Changes
from studyspec.plan.datasets import image_set
from studyspec.plan.expansion import expand_jobs
from studyspec.plan.states import Known, judge
from studyspec.spec.filters import DatasetFilter
from studyspec.spec.sections import StageSettings
from studyspec.spec.variants import Variant
from tests.plan.studies import FILES, dataset, expansion, record, variant

DATASETS = {"twin": dataset("twin", 12), "real": dataset("real")}
BOTH = (("real", "real"), ("real", "twin"))


def settings(**training: object) -> StageSettings:
    return StageSettings.model_validate({"training": training})


def chain(**pretraining: object) -> tuple[Variant, Variant]:
    """A network of the twin, tuned on real images."""
    start = {"train": "twin", "variant": "base"}
    tuned = variant(BOTH, "tuned", settings(start_from=start, epochs=3))
    return tuned, variant((("twin", "twin"), ("twin", "real")), "base", settings(**pretraining))


def titled(jobs: tuple[Job, ...]) -> dict[str, Job]:
    return {job.title: job for job in jobs}


def task(job: Job) -> Train:
    assert isinstance(job.task, Train)
    return job.task


def test_each_fold_starts_from_the_same_fold_which_comes_before() -> None:
    jobs = expansion(DATASETS, *chain()).jobs
    place = {job.key: i for i, job in enumerate(jobs)}
    assert all(place[need] < place[job.key] for job in jobs for need in job.needs)
    found = titled(jobs)
    for fold in range(5):
        tuned, start = found[f"train real (tuned), fold {fold}"], found[f"train twin, fold {fold}"]
        assert task(tuned).start == start.key
        assert start.key in tuned.needs


def test_keys_follow_the_chain() -> None:
    title = "train real (tuned), fold 0"
    short, long = (
        titled(expansion(DATASETS, *chain(epochs=epochs)).jobs)[title] for epochs in (1, 2)
    )
    assert short.key != long.key
    one, other = ({**job.task.ingredients, "start": ""} for job in (short, long))
    assert one == other


def test_what_starts_afresh_has_no_start_in_its_key() -> None:
    jobs = titled(expansion(DATASETS, *chain()).jobs)
    assert "start" not in jobs["train twin, fold 0"].task.ingredients


def test_a_start_that_no_cell_names_is_trained_and_not_tested() -> None:
    tuned = chain()[0]
    base = variant((("real", "real"),))
    found = titled(expansion(DATASETS, tuned, base).jobs)
    assert "train twin, fold 4" in found
    assert "test twin on twin, fold 4" not in found
    assert "twin" in record(DATASETS, tuned, base).datasets


def test_a_file_is_a_start_by_its_hash() -> None:
    file = NetworkFile(name="theirs", sha256="a" * 64, file="/theirs.safetensors")
    one = variant(BOTH, "tuned", settings(start_from={"weights": "theirs.safetensors"}))
    starts = {"theirs.safetensors": file}
    jobs = titled(expand_jobs([one], DATASETS, FILES, starts=starts).jobs)
    training = jobs["train real (tuned), fold 0"]
    assert task(training).start == f"weights:{'a' * 64}"
    assert all(need in {job.key for job in jobs.values()} for need in training.needs)
    assert Job.read(training.written()).inputs == training.inputs.with_sources({})


def test_what_an_earlier_training_held_is_held_out_too() -> None:
    jobs = titled(expansion(DATASETS, *chain()).jobs)
    forgotten, gained = (jobs[f"test real (tuned) on {name}, fold 2"] for name in ("twin", "real"))
    assert isinstance(forgotten.task, Evaluate)
    assert (forgotten.task.shared, forgotten.task.seen_before) == ((), (tuple(range(12)),))
    assert isinstance(forgotten.inputs, EvaluateInputs)
    assert forgotten.inputs.earlier == (task(jobs["train twin, fold 2"]),)
    assert set(forgotten.inputs.earlier[0].images) <= set(forgotten.inputs.sources)
    assert isinstance(gained.task, Evaluate)
    assert (gained.task.shared, gained.task.seen_before) == (tuple(range(6)), ())


def test_what_was_seen_before_decides_tests_alone() -> None:
    start = {"train": "twin", "variant": "base"}
    parts = {"splits": ["train", "test"]}
    both = {"training": {"start_from": start}, "evaluation": parts}
    tuned = variant((("twin", "twin"),), "tuned", StageSettings.model_validate(both))
    jobs = titled(expansion(DATASETS, tuned, chain()[1]).jobs)
    tests = [jobs[f"test twin (tuned) on twin{part}, fold 0"] for part in ("", " (train part)")]
    assert ["seen_before" in job.task.ingredients for job in tests] == [True, False]


def test_weights_of_the_start_are_rebuilt_for_a_training_to_come() -> None:
    jobs = expansion(DATASETS, *chain()).jobs
    known = {job.key: Known(True) for job in jobs if "tuned" not in job.title}
    found = judge(jobs, known, lambda job: job.stage != "train", lambda _: "")
    states = {one.job.title: one.state for one in found}
    assert states["train twin, fold 0"] == "rebuild"
    assert states["test twin on twin, fold 0"] == "known"


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (chain(epochs=2), "the network that it starts from changed"),
        ((variant(BOTH, "tuned", settings(epochs=3)), chain()[1]), "training.start_from added"),
    ],
    ids=["another start", "no start"],
)
def test_a_change_of_the_start_is_told(before: tuple[Variant, ...], reason: str) -> None:
    after = chain()
    jobs = titled(expansion(DATASETS, *after).jobs)
    changes = Changes(record(DATASETS, *after), record(DATASETS, *before))
    assert changes.reason(jobs["train real (tuned), fold 1"]) == reason
    test = changes.reason(jobs["test real (tuned) on twin, fold 1"])
    assert test == "its network changed"


def test_a_start_beyond_the_matrix_is_told_to_have_changed() -> None:
    def planned(epochs: int) -> tuple[Variant, Variant]:
        tuned, base = chain(epochs=epochs)
        return tuned, replace(base, pairs=(("real", "real"),))

    jobs = titled(expansion(DATASETS, *planned(1)).jobs)
    changes = Changes(record(DATASETS, *planned(1)), record(DATASETS, *planned(2)))
    reason = changes.reason(jobs["train twin, fold 0"])
    assert reason == "training.epochs changed from 2 to 1"


def test_a_mixture_draws_its_members() -> None:
    seeded = {"twin": replace(DATASETS["twin"], filter=DatasetFilter(take_seed=3))}
    mixed, other = (image_set("twin:4+real:2", DATASETS | more) for more in ({}, seeded))
    assert [len(member.images) for member in mixed.members] == [4, 2]
    assert mixed.members[0].images != other.members[0].images
    assert all(one in mixed.images for one in image_set("twin:3", DATASETS).images)


def test_a_plan_tells_the_images_of_a_mixture() -> None:
    told = record(DATASETS, variant((("twin:4+real:2", "real"),))).datasets["twin:4+real:2"]
    assert told.members == ("twin:4", "real:2")
    assert len(told.images) == 6


def test_repeats_cut_the_same_images_anew_and_leave_the_first_as_it_was() -> None:
    def trainings(**folding: object) -> list[Train]:
        told = StageSettings.model_validate({"cross_validation": folding})
        jobs = expansion(DATASETS, variant((("real", "real"),), "base", told)).jobs
        return [job.task for job in jobs if isinstance(job.task, Train)]

    once, twice = trainings(folds=3), trainings(folds=3, repeats=2)
    assert twice[:3] == once
    assert [task.fold for task in twice] == [0, 1, 2, 0, 1, 2]
    assert twice[3].folding.shuffle_seed == once[0].folding.shuffle_seed + 1
    assert twice[3].seed == once[0].seed + 1
    assert len({task.key for task in twice}) == 6


def test_the_fold_cells_of_repeats_are_counted_through() -> None:
    told = StageSettings.model_validate({"cross_validation": {"folds": 2, "repeats": 2}})
    cells = expansion(DATASETS, variant(BOTH, "base", told)).cells
    assert [cell.fold for cell in cells if cell.test == "twin"] == [0, 1, 2, 3]
    assert len({cell.network for cell in cells}) == 4


def test_the_same_bytes_under_two_names_are_told_to_the_training() -> None:
    plain = dataset("A")
    first, second, *others = plain.images
    twice = replace(second, image_sha256=first.image_sha256)
    for images, expected in ((plain.images, ()), ((first, twice, *others), ((0, 1),))):
        found = expansion({"A": replace(plain, images=images)}, variant((("A", "A"),)))
        tasks = [job.task for job in found.jobs if isinstance(job.task, Train)]
        assert {task.doubles for task in tasks} == {expected}
